// Which views suit the columns of an answer, judged by what stands in them.
const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMBERS = new Set(["integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "positiveInteger"].map((each) => XSD + each));
const DATES = new Set(["date", "dateTime", "gYear", "gYearMonth"].map((each) => XSD + each));
const POINT = /^\s*(?:<[^>]*>\s*)?POINT\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*\)/i;

const isNumber = (term) => NUMBERS.has(term.datatype) && Number.isFinite(Number(term.value));
const isDate = (term) => DATES.has(term.datatype) && moment(term) !== null;
const isPoint = (term) => term.type === "literal" && POINT.test(term.value);
const isThing = (term) => term.type === "uri" || term.type === "bnode";

/** Views beside the table: their names, their columns, and how they are loaded. */
export function suiting({ names, rows }) {
  if (rows.length === 0) return [];
  const having = (test) => names.filter((name) => {
    const terms = rows.map((row) => row[name]).filter(Boolean);
    return terms.length > 0 && terms.every(test);
  });
  const numbers = having(isNumber), dates = having(isDate), points = having(isPoint), things = having(isThing);
  const lat = numbers.find((name) => /^lat(itude)?$/i.test(name));
  const long = numbers.find((name) => /^(long?|lng|longitude)$/i.test(name));
  const views = [];
  const label = (...used) => names.find((name) => !used.includes(name) && !numbers.includes(name) && !points.includes(name) && !dates.includes(name)) ?? used[0];
  if (points.length || (lat && long)) {
    views.push({ name: "Map", columns: { point: points[0], lat, long, label: label(points[0], lat, long) }, load: () => import("./map.js") });
  }
  if (dates.length) views.push({ name: "Timeline", columns: { date: dates[0], label: label(dates[0]) }, load: () => import("./timeline.js") });
  if (things.length > 1) views.push({ name: "Network", columns: { from: things[0], to: things[1] }, load: () => import("./network.js") });
  const measure = numbers.find((name) => name !== lat && name !== long);
  if (measure && names.length > 1) {
    views.push({ name: "Chart", columns: { number: measure, label: label(measure) }, load: () => import("./chart.js") });
  }
  return views;
}

/** Longitude and latitude of a row; null where there are none. */
export function position(row, { point, lat, long }) {
  const found = point ? POINT.exec(row[point]?.value ?? "") : row[lat] && row[long] && [0, row[long].value, row[lat].value];
  return found ? [Number(found[1]), Number(found[2])] : null;
}

/** Milliseconds of a date; a year or a month counts from its first day. */
export function moment({ value }) {
  const found = /^(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?/.exec(value);
  return found ? Date.UTC(Number(found[1]), Number(found[2] ?? 1) - 1, Number(found[3] ?? 1)) : null;
}

/** A term as people read it. */
export function named(term, known) {
  if (!term) return "";
  return term.type === "uri" ? known[term.value]?.label || known[term.value]?.short || term.value : term.value;
}

/** Where a thing is read; empty where a browser should not go. */
export function address(term, known) {
  return term?.type === "uri" ? known[term.value]?.href ?? "" : "";
}
