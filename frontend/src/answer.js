// An answer on the page: what it is cited as, its files, and the views that its columns suit.
import { element } from "./dom.js";
import { labels } from "./endpoint.js";
import { suiting } from "./suits.js";
import { table } from "./table.js";
import { say } from "./words.js";

/** Show an answer in place of what stands in `target`. */
export async function show(target, found, { site, cite, permalink, files, explain }) {
  const heading = element("h2", { id: "answer" }, say("Answer"), " ");
  const parts = [heading];
  const empty = found.rows?.length === 0 || found.boolean === false || found.turtle?.trim() === "";
  if (found.boolean !== undefined) parts.push(element("p", { class: "lead" }, say(found.boolean ? "Yes" : "No")));
  if (found.turtle !== undefined) parts.push(element("pre", { tabindex: "0" }, element("code", {}, found.turtle)));
  if (found.rows) {
    heading.append(element("span", { class: "count" }, say("Rows: %(number)s", { number: found.rows.length })));
    const known = await names(site, found.rows);
    parts.push(...viewed(found, known));
  }
  if (empty) parts.push(element("p", {}, element("a", { href: explain }, say("Why nothing?"))));
  const links = files.map(([name, href]) => element("a", { href, download: `answer.${name}` }, name.toUpperCase()));
  parts.push(
    element("p", { class: "formats" }, `${say("Download")}: `, ...links.flatMap((link) => [link, " "]),
      element("a", { href: permalink }, say("Permalink"))),
    element("details", {}, element("summary", {}, say("Cite this answer")),
      element("p", {}, say("release %(number)s gives it as long as it is kept.", { number: found.release }), " ",
        element("a", { href: cite, class: "iri" }, cite))),
  );
  target.replaceChildren(element("section", { "aria-labelledby": "answer" }, ...parts));
}

async function names(site, rows) {
  const iris = new Set();
  for (const row of rows) for (const term of Object.values(row)) if (term.type === "uri") iris.add(term.value);
  return iris.size ? labels(site, [...iris]).catch(() => ({})) : {};
}

/** The table, and buttons for the other views; each is loaded when it is first wanted. */
function viewed(found, known) {
  const place = element("div", { id: "view" });
  const views = [{ name: "Table", load: async () => ({ draw: table }) }, ...suiting(found)];
  const buttons = views.map((view) => element("button", { type: "button", class: "second", "aria-pressed": "false" }, say(view.name)));
  const choose = async (position) => {
    buttons.forEach((button, each) => button.setAttribute("aria-pressed", String(each === position)));
    const { draw } = await views[position].load();
    place.replaceChildren(draw(found, known, views[position].columns));
  };
  buttons.forEach((button, position) => button.addEventListener("click", () => choose(position)));
  place.append(table(found, known));
  buttons[0].setAttribute("aria-pressed", "true");
  const bar = element("div", { role: "group", "aria-label": say("View"), class: "views" }, ...buttons);
  return views.length > 1 ? [bar, place] : [place];
}
