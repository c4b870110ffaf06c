// What a form would do is shown again as soon as something is changed in it, and cannot be done
// before. `data-preview` may name the only field that matters.

import { onRefresh } from "./live.js";

const PAUSE_MS = 100;
let waits = false;

function matters(event) {
  const form = event.target.closest("form[data-preview]");
  const only = form?.dataset.preview;
  return form && event.target.name !== "note" && (!only || event.target.name === only) ? form : null;
}

document.addEventListener("input", (event) => {
  const form = matters(event);
  hold(form);
  if (form?.dataset.busy) waits = true; // The answer that is on its way is to what was there before.
});

// Nor while the answer is on its way: what is pressed meanwhile would not be sent. Heard before the
// form becomes busy.
document.addEventListener(
  "submit",
  ({ target, submitter }) => {
    if (!target.matches("form[data-preview]") || target.dataset.busy) return;
    waits = false;
    if (submitter?.value === "preview") hold(target);
  },
  true,
);

function runButton(form) {
  return form?.querySelector('[name="act"][value="run"]');
}

function hold(form) {
  const button = runButton(form);
  if (button) button.disabled = true;
}

// Whether what is shown is what would be done.
export function isShown(form) {
  return runButton(form)?.disabled === false;
}

// The answer brings the button back, unless it is to something that was changed again since.
onRefresh(() => {
  if (waits) hold(document.querySelector("form[data-preview]"));
});

document.addEventListener("change", (event) => {
  const form = matters(event);
  if (form) preview(form);
});

function preview(form) {
  // One answer at a time: what was changed meanwhile is asked about afterwards.
  waits = Boolean(form.dataset.busy);
  if (waits) setTimeout(() => preview(form), PAUSE_MS);
  else form.requestSubmit(form.querySelector('[name="act"][value="preview"]'));
}
