// The keyboard: `/` search, `j` `k` rows, `Enter` opens, `g` and a letter goes, `?` says all.

const PAUSE_MS = 1200;
const help = document.getElementById("help");
let awaits = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const inField = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (inField) {
    if (event.key === "Escape") inField.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const act = performance.now() < awaits ? going(event.key) : acts[event.key];
  awaits = 0;
  if (act && act(event) !== false) event.preventDefault();
});

const acts = {
  "/": () => {
    const search = document.querySelector("[data-search]");
    search?.focus();
    search?.select?.();
    return Boolean(search);
  },
  j: () => step(1),
  k: () => step(-1),
  n: () => document.querySelector('[data-key="n"]')?.click(),
  g: () => {
    awaits = performance.now() + PAUSE_MS;
  },
  "?": () => help.showModal(),
};

function going(key) {
  const link = document.querySelector(`nav [data-key="${CSS.escape(key)}"]`);
  return link && (() => link.click());
}

// A row is an element with `data-row`; its first link is what `Enter` opens, and gets the focus.
function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  const link = rows[next].querySelector("a, button") ?? rows[next];
  link.focus();
  rows[next].scrollIntoView({ block: "nearest" });
  return true;
}

const button = document.getElementById("help-button");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}
