// Things of two columns of an answer, and the lines between them.
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation } from "d3-force";
import { svg } from "./dom.js";
import { address, named } from "./suits.js";
import { say } from "./words.js";

const WIDTH = 960, HEIGHT = 600, SHOWN = 400, STEPS = 200;

/** A name cut between words, so that what is seen is the beginning of what is read out. */
const shortened = (text) => (text.length > 28 ? `${text.slice(0, 28).replace(/\s+\S*$/, "")} …` : text);

export function draw({ rows }, known, { from, to }) {
  const nodes = new Map();
  const node = (term) => {
    if (!nodes.has(term.value)) nodes.set(term.value, { id: term.value, term });
    return term.value;
  };
  const links = rows.filter((row) => row[from] && row[to]).slice(0, SHOWN)
    .map((row) => ({ source: node(row[from]), target: node(row[to]) }));
  const found = [...nodes.values()];
  forceSimulation(found).force("link", forceLink(links).id((each) => each.id).distance(70)).force("charge", forceManyBody().strength(-160))
    .force("centre", forceCenter(0, 0)).force("apart", forceCollide(14)).stop().tick(STEPS);
  const [xs, ys] = [found.map((each) => each.x), found.map((each) => each.y)];
  const [left, top] = [Math.min(...xs) - 60, Math.min(...ys) - 40];
  const [width, height] = [Math.max(...xs) + 140 - left, Math.max(...ys) + 40 - top];
  const size = Math.max(width / WIDTH, height / HEIGHT, 0.5);
  const lines = links.map(({ source, target }) => svg("line", { x1: source.x, y1: source.y, x2: target.x, y2: target.y, class: "rule" }));
  const dots = found.map(({ x, y, term }) => {
    const text = named(term, known), href = address(term, known);
    const parts = [svg("circle", { cx: x, cy: y, r: 6 * size, class: "dot" }, svg("title", {}, text)),
      svg("text", { x: x + 9 * size, y: y + 4 * size, "font-size": 12 * size }, shortened(text))];
    return href ? svg("a", { href }, ...parts) : svg("g", {}, ...parts);
  });
  return svg("svg", { viewBox: `${left} ${top} ${width} ${height}`, role: "group", "aria-label": say("Network"), class: "drawn" }, ...lines, ...dots);
}
