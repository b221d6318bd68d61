// CodeMirror, in a shadow tree: there its styles are constructed sheets, which a strict CSP allows.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { completer } from "./completion.js";
import { element } from "./dom.js";

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.atom], color: "var(--code-number)" },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: "var(--code-variable)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);
const THEME = EditorView.theme({
  "&": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: ".35rem", fontSize: ".9rem", height: "100%" },
  "&.cm-focused": { outline: ".18rem solid var(--accent)", outlineOffset: "-.18rem" },
  ".cm-scroller": { fontFamily: "ui-monospace, Menlo, Consolas, monospace", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--soft)", border: "0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-ink)", color: "var(--paper)" },
  // the package would load an image from an address of data:, which the policy forbids
  "&.cm-editor .cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "1" },
});

/** Put an editor in place of a text field; gives what the page does with it. */
export function createEditor(field, label, site, run) {
  const host = element("div", { class: "editor" });
  field.after(host);
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: field.value,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (run(), true) }])),
        lineNumbers(),
        history(),
        bracketMatching(),
        closeBrackets(),
        StreamLanguage.define(sparql),
        syntaxHighlighting(COLOURS),
        autocompletion({ override: [completer(site)], icons: false }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]), // Tab leaves
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label.textContent }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) field.value = update.state.doc.toString();
        }),
        THEME,
      ],
    }),
  });
  field.hidden = true;
  label.addEventListener("click", () => view.focus());
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    mark: (fields) => view.dispatch(setDiagnostics(view.state, fields?.line ? [place(view, fields)] : [])),
  };
}

/** Where an error is; line and column count from one. The word there is marked. */
function place(view, { line, column = 1, detail, hint }) {
  const found = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  const from = Math.min(found.from + Math.max(column - 1, 0), found.to);
  const word = /^[^\s]+/.exec(found.text.slice(from - found.from));
  view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
  view.focus();
  return { from, to: from + (word ? word[0].length : 0), severity: "error", message: [detail, hint].filter(Boolean).join(" ") };
}
