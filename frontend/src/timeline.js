// Rows of an answer in the order of their dates.
import { svg } from "./dom.js";
import { address, moment, named } from "./suits.js";
import { say } from "./words.js";

const WIDTH = 960, LEFT = 20, LINE = 26, SHOWN = 300;

export function draw({ rows }, known, { date, label }) {
  const found = rows.filter((row) => row[date]).map((row) => [moment(row[date]), row]).sort((a, b) => a[0] - b[0]).slice(0, SHOWN);
  const first = found[0][0], span = Math.max(found.at(-1)[0] - first, 1);
  const height = found.length * LINE + 40;
  const x = (time) => LEFT + ((time - first) / span) * (WIDTH * 0.55);
  const parts = found.map(([time, row], position) => {
    const y = position * LINE + 20, text = `${row[date].value.slice(0, 10)} ${named(row[label], known)}`;
    const words = svg("text", { x: x(time) + 12, y: y + 5 }, text.length > 60 ? `${text.slice(0, 59)}…` : text);
    const href = address(row[label], known);
    return svg("g", {}, svg("line", { x1: LEFT, x2: x(time), y1: y, y2: y, class: "rule" }),
      svg("circle", { cx: x(time), cy: y, r: 5, class: "dot" }), href ? svg("a", { href }, words) : words);
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": say("Timeline"), class: "drawn" }, ...parts);
}
