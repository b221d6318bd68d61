// The page that asks in SPARQL: an editor in place of the text field, answers without a new page.
import { createEditor } from "./editor.js";
import { ask, cited, downloads, explained } from "./endpoint.js";
import { element } from "./dom.js";
import { show } from "./answer.js";
import { say } from "./words.js";

const form = document.querySelector("form[data-island=sparql]");
if (form) begin(form);

function begin(form) {
  const field = form.elements.query;
  const site = { root: form.dataset.root, release: form.dataset.release, endpoint: form.dataset.endpoint };
  const cancel = form.querySelector("button[type=button]");
  const status = form.querySelector("[role=status]");
  const answer = document.getElementById("answered");
  const editor = createEditor(field, form.querySelector("label[for=query]"), site, () => form.requestSubmit());
  let running = null;

  cancel.addEventListener("click", () => running?.abort());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    running?.abort();
    const mine = (running = new AbortController());
    const query = editor.text();
    editor.mark(null);
    field.value = query;
    cancel.hidden = false;
    status.textContent = say("Running …");
    const began = performance.now();
    try {
      const found = await ask(site, query, mine.signal);
      const spent = Math.round(performance.now() - began);
      status.textContent = say("Answered in %(number)s ms.", { number: spent });
      const address = new URL(location.href);
      address.searchParams.set("query", query);
      if (address.href.length < 8000) history.replaceState(null, "", address);
      await show(answer, found, {
        site,
        cite: cited(site, query, found.release),
        permalink: address.href,
        files: downloads(site, query, found),
        explain: explained(site, query),
      });
    } catch (error) {
      if (mine !== running) return;
      if (error.name === "AbortError") {
        status.textContent = say("Cancelled.");
      } else {
        status.textContent = "";
        const fields = error.fields ?? { detail: say("The server cannot be reached.") };
        answer.replaceChildren(
          element("div", { class: "error", role: "alert" },
            element("p", {}, fields.detail),
            fields.hint ? element("p", {}, fields.hint) : ""),
        );
        editor.mark(fields);
      }
    } finally {
      if (mine === running) {
        running = null;
        cancel.hidden = true;
      }
    }
  });
  examples(document.getElementById("example-list"), editor);
}

/** A search over the examples; one that is chosen goes into the editor. */
function examples(list, editor) {
  if (!list) return;
  const search = document.getElementById("example-search");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const item of list.children) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-example]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    editor.set(new URL(link.href).searchParams.get("query"));
    editor.focus();
  });
}
