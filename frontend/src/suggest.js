// Suggestions while typing, on every field that names an address for them: a combobox with a
// listbox, as the ARIA Authoring Practices describe it. Without it the field searches all the same.
import { element } from "./dom.js";

const PAUSE = 120; // milliseconds without a key before anything is asked
let fields = 0;

for (const field of document.querySelectorAll("input[data-suggest]")) begin(field);

function begin(field) {
  const id = `suggestions-${(fields += 1)}`;
  const list = element("ul", { id, role: "listbox", class: "suggestions", "aria-label": field.dataset.suggestions, hidden: "" });
  const said = element("span", { role: "status", class: "hidden" });
  field.after(list, said);
  for (const [name, value] of Object.entries({
    role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
  })) field.setAttribute(name, value);
  let waiting = 0;
  let asking = null;
  let chosen = -1;

  function choose(at) {
    list.children[chosen]?.removeAttribute("aria-selected");
    chosen = at;
    const option = list.children[chosen];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function close() {
    clearTimeout(waiting);
    asking?.abort();
    choose(-1);
    list.hidden = true;
    list.replaceChildren();
    said.textContent = "";
    field.setAttribute("aria-expanded", "false");
  }

  function open(names, pages, languages) {
    choose(-1);
    list.replaceChildren(...names.map((name, at) => {
      const option = element("li", { id: `${id}-${at}`, role: "option" }, name);
      if (languages[at]) option.lang = languages[at];
      option.dataset.page = pages[at];
      return option;
    }));
    list.hidden = !names.length;
    field.setAttribute("aria-expanded", String(names.length > 0));
    said.textContent = `${field.dataset.suggestions}: ${names.length}`;
  }

  async function ask() {
    asking?.abort();
    const text = field.value.trim();
    if (!text) return close();
    const mine = (asking = new AbortController());
    const address = new URL(field.dataset.suggest, location.href);
    address.searchParams.set("q", text);
    for (const name of ["lang", "release"]) { // as the page itself was asked for
      const value = new URLSearchParams(location.search).get(name);
      if (value) address.searchParams.set(name, value);
    }
    try {
      const answer = await fetch(address, { signal: mine.signal });
      if (!answer.ok) return close();
      const [, names, , pages, more] = await answer.json();
      if (!mine.signal.aborted && document.activeElement === field) open(names, pages, more?.languages ?? []);
    } catch {
      if (!mine.signal.aborted) close(); // searching works without suggestions
    }
  }

  const go = (option) => location.assign(option.dataset.page);

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    asking?.abort();
    waiting = setTimeout(ask, PAUSE);
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method has the keys
    const many = list.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!many) return ask();
      const step = event.key === "ArrowDown" ? 1 : -1; // -1 is the field itself, between last and first
      choose(((chosen + 1 + step + many + 1) % (many + 1)) - 1);
    } else if (event.key === "Home" || event.key === "End") {
      choose(-1); // the cursor moves in the text
    } else if (event.key === "Escape" && many) {
      event.preventDefault(); // the text stays; once more clears it
      close();
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      go(list.children[chosen]);
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) go(option);
  });
}
