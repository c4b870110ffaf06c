// The pipeline of a task that has ended, checked as it is typed; once it is right, what a retry with
// it would do is shown.

import { isShown } from "./dead_letters.js";
import { watchEditor } from "./new_task/checking.js";

const form = document.getElementById("mend");
const field = document.getElementById("pipeline");

for (const each of form.querySelectorAll("[data-scripted]")) each.hidden = false;

// What is typed is looked at as it is typed. To do so again when the field is left would come between
// the button that is pressed and what it does.
field.addEventListener("change", (event) => event.isTrusted && event.stopPropagation());

watchEditor({
  given() {
    const refs = [...form.querySelectorAll("[data-input]")].map((each) => [each.dataset.input, each.value.trim()]);
    return Object.fromEntries(refs.filter(([, ref]) => ref));
  },
  told(checked, found) {
    if (isShown(form)) return; // Somebody has asked before the check was there.
    if (!found.length && checked.steps.length) field.dispatchEvent(new Event("change", { bubbles: true }));
  },
});
