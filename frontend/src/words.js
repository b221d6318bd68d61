// What a page says, in its language: the server gives the words, in the attribute data-words.
const given = JSON.parse(document.querySelector("[data-words]")?.dataset.words ?? "{}");

/** A text in the language of the page, with values in place of "%(name)s". */
export function say(text, values = {}) {
  return (given[text] ?? text).replace(/%\((\w+)\)s/g, (all, name) => values[name] ?? all);
}
