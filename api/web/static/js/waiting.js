// Cards to decide on: what somebody types stays though the page is refreshed, the next card gets the
// focus once one is decided on, and keys lead to its buttons.

import { announce } from "./announce.js";
import { onRefresh } from "./live.js";

let decided = null;

// Before forms.js sends it.
document.addEventListener(
  "submit",
  (event) => {
    const card = event.target.closest(".call");
    if (!card) return;
    event.target.removeAttribute("data-kept");
    const cards = [...document.querySelectorAll(".call")];
    const place = cards.indexOf(card);
    const says = event.submitter?.dataset.says;
    decided = { id: card.id, says, next: cards[place + 1]?.id ?? cards[place - 1]?.id };
  },
  true,
);

document.addEventListener("input", (event) => {
  event.target.closest(".decision")?.setAttribute("data-kept", "");
});

onRefresh(() => {
  // What was refused is being mended: what is said about it stays.
  for (const form of document.querySelectorAll(".decision:has(.problem)")) {
    form.setAttribute("data-kept", "");
    if (decided?.id === form.closest(".call").id) {
      form.querySelector("[aria-invalid]")?.focus();
      decided = null;
    }
  }
  if (!decided || document.getElementById(decided.id)) return;
  if (decided.says) announce(decided.says);
  const next = document.getElementById(decided.next) ?? document.querySelector(".call");
  (next ?? document.getElementById("content")).focus();
  next?.scrollIntoView({ block: "nearest" });
  decided = null;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const card = event.target.closest(".call") ?? document.querySelector(".call");
  const act = card && acts[event.key];
  if (!act) return;
  act(card);
  event.preventDefault();
});

const acts = {
  a: (card) => card.querySelector('[value="approve"]')?.focus(),
  d: (card) => card.querySelector('[value="deny"]')?.focus(),
  e: (card) => {
    const fold = card.querySelector(".edit");
    if (!fold) return;
    fold.open = true;
    fold.querySelector("textarea").focus();
  },
};
