// Numbers of an answer as bars.
import { svg } from "./dom.js";
import { named } from "./suits.js";
import { say } from "./words.js";

const WIDTH = 960, LEFT = 320, LINE = 28, SHOWN = 200;

export function draw({ rows }, known, { number, label }) {
  const found = rows.filter((row) => row[number]).slice(0, SHOWN);
  const values = found.map((row) => Number(row[number].value));
  const low = Math.min(0, ...values), span = Math.max(0, ...values) - low || 1;
  const x = (value) => LEFT + ((value - low) / span) * (WIDTH - LEFT - 110);
  const bars = found.map((row, position) => {
    const y = position * LINE + 10, value = values[position], text = named(row[label], known);
    return svg("g", {},
      svg("text", { x: LEFT - 10, y: y + 14, "text-anchor": "end" }, text.length > 38 ? `${text.slice(0, 37)}…` : text),
      svg("rect", { x: Math.min(x(0), x(value)), y, width: Math.max(Math.abs(x(value) - x(0)), 1), height: LINE - 8, class: "bar" }),
      svg("text", { x: Math.max(x(value), x(0)) + 8, y: y + 14 }, row[number].value));
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${found.length * LINE + 20}`, role: "group", "aria-label": say("Chart"), class: "drawn" }, ...bars);
}
