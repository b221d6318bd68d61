// Points of an answer on the shapes of Natural Earth; no tiles, nothing from elsewhere.
import { geoBounds, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import world from "world-atlas/countries-110m.json";
import { svg } from "./dom.js";
import { address, named, position } from "./suits.js";
import { say } from "./words.js";

const WIDTH = 960, HEIGHT = 500;

export function draw({ rows }, known, columns) {
  const found = rows.map((row) => [row, position(row, columns)]).filter((each) => each[1]);
  const points = { type: "MultiPoint", coordinates: found.map((each) => each[1]) };
  const projection = geoNaturalEarth1();
  const [[west, south], [east, north]] = geoBounds(points);
  const small = east - west < 8 && north - south < 8; // a lone town says little without its surroundings
  const frame = small ? { type: "MultiPoint", coordinates: [[west - 8, south - 5], [east + 8, north + 5]] } : points;
  projection.fitExtent([[40, 40], [WIDTH - 40, HEIGHT - 40]], frame);
  projection.clipExtent([[0, 0], [WIDTH, HEIGHT]]);
  const path = geoPath(projection);
  const land = feature(world, world.objects.countries).features
    .map((each) => path(each)).filter(Boolean).map((d) => svg("path", { d, class: "land" }));
  const dots = found.map(([row, place]) => {
    const [x, y] = projection(place);
    const text = named(row[columns.label], known);
    const dot = svg("circle", { cx: x, cy: y, r: 6, class: "dot" }, svg("title", {}, text));
    const href = address(row[columns.label], known);
    return href ? svg("a", { href, "aria-label": text }, dot) : dot;
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": say("Map"), class: "drawn" }, ...land, ...dots);
}
