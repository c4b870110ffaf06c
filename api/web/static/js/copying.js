// Buttons that copy: `<button data-copies="#id" hidden>`; without scripts the text can be selected.

import { announce } from "./announce.js";

for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copies).textContent);
  announce("Copied");
});
