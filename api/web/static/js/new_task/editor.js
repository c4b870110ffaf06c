// A field for code: line numbers, Tab that indents, and Escape that leaves it.

const INDENT = "  ";
// Longer ones, which no pipeline is, go without numbers: the browser would lay out each of them.
const MAX_NUMBERED = 5000;

export function edited(field, gutter, onChange) {
  let shown = 0;
  const bad = new Set();

  const number = () => {
    const all = field.value.split("\n").length;
    gutter.hidden = all > MAX_NUMBERED;
    const lines = gutter.hidden ? 0 : all;
    while (shown < lines) {
      const line = document.createElement("span");
      line.textContent = String(++shown);
      gutter.append(line);
    }
    while (shown > lines) {
      gutter.lastChild.remove();
      shown -= 1;
    }
    scroll();
  };
  const scroll = () => {
    gutter.scrollTop = field.scrollTop;
  };
  const changed = () => {
    number();
    onChange();
  };

  field.addEventListener("input", changed);
  field.addEventListener("scroll", scroll);
  field.addEventListener("keydown", (event) => onKey(field, event));
  number();

  return {
    mark(lines) {
      for (const line of bad) gutter.children[line - 1]?.classList.remove("bad");
      bad.clear();
      for (const line of lines) {
        bad.add(line);
        gutter.children[line - 1]?.classList.add("bad");
      }
    },
    go(line, column) {
      const at = startOf(field.value, line) + Math.max(0, column - 1);
      field.focus();
      field.setSelectionRange(at, endOf(field.value, at));
      const height = field.scrollHeight / Math.max(1, field.value.split("\n").length);
      field.scrollTop = Math.max(0, (line - 4) * height);
    },
  };
}

function onKey(field, event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Tab") {
    event.preventDefault();
    shift(field, event.shiftKey);
  } else if (event.key === "Enter" && !event.shiftKey) {
    const start = startOfLine(field.value, field.selectionStart);
    const indent = /^ *(?:- )?/.exec(field.value.slice(start, field.selectionStart))[0].replace("-", " ");
    if (!indent) return;
    event.preventDefault();
    insert(field, `\n${indent}`);
  }
}

// One place, or all lines of the selection.
function shift(field, isBack) {
  const { selectionStart: from, selectionEnd: to, value } = field;
  if (from === to && !isBack) return insert(field, INDENT);
  const start = startOfLine(value, from);
  const lines = value.slice(start, to).split("\n");
  const moved = lines.map((line) => (isBack ? line.replace(/^ {1,2}/, "") : INDENT + line)).join("\n");
  if (moved === value.slice(start, to)) return;
  field.setSelectionRange(start, to);
  insert(field, moved);
  const end = start + moved.length;
  if (from === to) field.setSelectionRange(Math.max(start, from - INDENT.length), Math.max(start, from - INDENT.length));
  else field.setSelectionRange(start, end);
}

// As if it was typed: so that it can be undone.
export function insert(field, text) {
  if (text && document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function startOfLine(text, at) {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function startOf(text, line) {
  let at = 0;
  for (let number = 1; number < line; number += 1) {
    const found = text.indexOf("\n", at);
    if (found < 0) break;
    at = found + 1;
  }
  return at;
}

function endOf(text, at) {
  const found = text.indexOf("\n", at);
  return found < 0 ? text.length : found;
}
