// Colours of a terminal in a line that was just printed: the simple ones, as the server does it.

const ESCAPE = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\x1b/g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "struck" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["struck"] };
const HIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

// Nodes for a text. `look` holds the classes in force, and is changed by what the text says.
export function coloured(text, look) {
  const nodes = [];
  let start = 0;
  for (const match of text.matchAll(ESCAPE)) {
    add(nodes, text.slice(start, match.index), look);
    start = match.index + match[0].length;
    if (match[2] === "m") changeAll(look, match[1].split(";").map(Number));
  }
  add(nodes, text.slice(start), look);
  return nodes;
}

function add(nodes, text, look) {
  if (!text) return;
  const shown = text.replaceAll(HIDDEN, seen);
  if (!look.size) return nodes.push(shown);
  const span = document.createElement("span");
  span.className = [...look].map((name) => `ansi-${name}`).join(" ");
  span.textContent = shown;
  nodes.push(span);
}

function seen(character) {
  const code = character.charCodeAt(0);
  return code < 32 ? String.fromCharCode(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
}

function changeAll(look, codes) {
  for (const code of codes) {
    if (code === 38 || code === 48) return; // Of 256 or more: the server knows which comes nearest.
    change(look, code);
  }
}

function change(look, code) {
  if (code === 0) return look.clear();
  if (STYLES[code]) return look.add(STYLES[code]);
  for (const name of ENDS[code] ?? []) look.delete(name);
  const tens = Math.floor(code / 10);
  const colour = (code % 10) + (tens > 8 ? 8 : 0);
  if ([3, 9].includes(tens)) recolour(look, /^\d/, code % 10 < 8 ? `${colour}` : "");
  if ([4, 10].includes(tens)) recolour(look, /^on-/, code % 10 < 8 ? `on-${colour}` : "");
}

function recolour(look, kind, name) {
  for (const known of [...look]) if (kind.test(known)) look.delete(known);
  if (name) look.add(name);
}
