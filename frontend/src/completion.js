// Completion from this graph: its prefixes, and the classes and properties that are in use.
import { terms } from "./endpoint.js";

const KEYWORDS = ("SELECT CONSTRUCT ASK DESCRIBE DISTINCT WHERE FROM NAMED GRAPH OPTIONAL UNION MINUS FILTER BIND " +
  "VALUES EXISTS LIMIT OFFSET COUNT SUM AVG MIN MAX SAMPLE GROUP_CONCAT LANG LANGMATCHES STR REGEX CONTAINS " +
  "STRSTARTS BOUND COALESCE YEAR PREFIX").split(" ").concat(["ORDER BY", "GROUP BY", "HAVING"]);
const SHOWN = 200;

/** A source of completions for CodeMirror; the terms are fetched when first needed. */
export function completer(site) {
  let known = null;
  return async (context) => {
    const variable = context.matchBefore(/[?$]\w*/);
    if (variable) {
      const names = new Set(context.state.doc.toString().match(/[?$]\w+/g));
      names.delete(variable.text);
      return { from: variable.from, options: [...names].map((label) => ({ label, type: "variable" })) };
    }
    const word = context.matchBefore(/[\w-]*:?[\w-]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    known ??= terms(site).then(options, () => ((known = null), []));
    const found = await known;
    if (context.aborted) return null;
    const before = context.state.sliceDoc(Math.max(0, word.from - 40), word.from);
    const wants = /(^|[\s;])a\s+$/.test(before) ? "class" : "";
    const text = word.text.toLowerCase();
    const fitting = found
      .filter((each) => (!wants || each.type === wants) && each.search.includes(text))
      .slice(0, SHOWN);
    const words = text.includes(":") || wants ? [] :
      KEYWORDS.filter((each) => each.toLowerCase().startsWith(text)).map((label) => ({ label, type: "keyword" }));
    return { from: word.from, options: [...fitting, ...words], filter: false };
  };
}

function options({ prefixes, classes, properties }) {
  const spaces = Object.entries(prefixes).sort((one, other) => other[1].length - one[1].length);
  const made = (type) => ({ iri, label, number }) => {
    const space = spaces.find((each) => iri.startsWith(each[1]));
    const local = space && iri.slice(space[1].length);
    const short = space && /^\w[\w-]*$/.test(local) ? `${space[0]}:${local}` : `<${iri}>`;
    return {
      label: short,
      type,
      detail: `${label ? `${label}, ` : ""}${type}, ${number}`,
      search: `${short} ${label}`.toLowerCase(),
      apply: short.startsWith("<") ? short : inserted(space, short),
    };
  };
  const named = Object.entries(prefixes).map(([prefix, iri]) => ({
    label: `${prefix}:`,
    type: "namespace",
    detail: iri,
    search: `${prefix}:`.toLowerCase(),
    apply: inserted([prefix, iri], `${prefix}:`),
  }));
  return [...classes.map(made("class")), ...properties.map(made("property")), ...named];
}

/** Writes a name, and declares its prefix at the head where it is not: the query runs elsewhere too. */
function inserted([prefix, namespace], text) {
  return (view, _completion, from, to) => {
    const doc = view.state.doc.toString();
    const declared = new RegExp(`PREFIX\\s+${prefix}\\s*:\\s*(<|$)`, "im").test(doc) || /PREFIX\s+$/i.test(doc.slice(0, from));
    const head = declared ? "" : `PREFIX ${prefix}: <${namespace}>\n`;
    view.dispatch({
      changes: [{ from: 0, insert: head }, { from, to, insert: text }],
      selection: { anchor: from + head.length + text.length },
      userEvent: "input.complete",
    });
  };
}
