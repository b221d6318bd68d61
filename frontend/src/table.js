// The rows of an answer as a table that can be sorted by each column.
import { element } from "./dom.js";
import { address, named } from "./suits.js";
import { say } from "./words.js";

const SHOWN = 1000;

export function table({ names, rows }, known) {
  const body = element("tbody");
  const heads = names.map((name) => {
    const button = element("button", { type: "button", class: "sort" }, name);
    return element("th", { scope: "col" }, button);
  });
  const fill = (sorted) => body.replaceChildren(...sorted.slice(0, SHOWN).map((row) => line(row, names, known)));
  heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const name = names[column];
    const sorted = [...rows].sort((one, other) => compared(one[name], other[name], known));
    fill(falling ? sorted.reverse() : sorted);
  }));
  fill(rows);
  const whole = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  const wide = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": say("Table") }, whole);
  if (rows.length <= SHOWN) return wide;
  return element("div", {}, element("p", {}, say("The first %(number)s rows are shown; the files hold all.", { number: SHOWN })), wide);
}

function compared(one, other, known) {
  if (!one || !other) return one ? -1 : other ? 1 : 0;
  const [a, b] = [one, other].map((term) => (term.datatype && term.value !== "" ? Number(term.value) : NaN));
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return named(one, known).localeCompare(named(other, known), undefined, { numeric: true });
}

function line(row, names, known) {
  return element("tr", {}, ...names.map((name) => element("td", {}, cell(row[name], known))));
}

function cell(term, known) {
  if (!term) return element("span", { class: "unbound" }, say("not bound"));
  const href = address(term, known);
  if (href) {
    const { label, language, short } = known[term.value];
    return element("a", { href, title: short, lang: label ? language : "" }, named(term, known));
  }
  if (term.type === "literal") return element("span", { lang: term["xml:lang"] }, term.value);
  return element("code", {}, term.value);
}
