// Has the server check the pipeline as it is typed, one check at a time, and shows what it says.

import { announce } from "../announce.js";
import { edited } from "./editor.js";

const PAUSE_MS = 300;
const SAID_AFTER_MS = 1500;

// `given` are the inputs by name; `told` is called with what each check has found, and with the
// problems of the pipeline alone.
export function watchEditor({ given, told }) {
  const frame = document.getElementById("editor");
  const field = document.getElementById("pipeline");
  const place = document.getElementById("pipeline-problems");
  let timer = null;
  let said = null;
  let asking = null;

  const editor = edited(field, frame.querySelector(".gutter"), () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  });
  place.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    editor.go(Number(link.dataset.line), Number(link.dataset.column));
  });
  markShown();

  async function check() {
    asking?.abort();
    if (!field.value.trim()) return show({ problems: [], steps: [], inputs: [] });
    asking = new AbortController();
    const body = JSON.stringify({ type: "pipeline", pipeline: field.value, inputs: given() });
    try {
      const answer = await fetch(frame.dataset.check, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal: asking.signal,
      });
      if (answer.ok) show(await answer.json());
    } catch {
      // Another check took its place, or the server is away: what is sent is checked again.
    }
  }

  function show(checked) {
    const found = checked.problems.filter((each) => `${each.pointer}/`.startsWith("/pipeline/"));
    found.sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
    if (found.length) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    place.replaceChildren(...(found.length ? [listOf(found)] : outlineOf(checked.steps)));
    markShown();
    told(checked, found);
    clearTimeout(said);
    said = setTimeout(() => announce(wordsFor(found, checked)), SAID_AFTER_MS);
  }

  function markShown() {
    editor.mark([...place.querySelectorAll("[data-line]")].map((link) => Number(link.dataset.line)));
  }
}

function wordsFor(found, checked) {
  if (!found.length) return checked.steps.length ? "The pipeline is right." : "";
  const [first] = found;
  const where = first.line ? ` on line ${first.line}` : "";
  return `${found.length} ${found.length === 1 ? "problem" : "problems"}, the first${where}: ${first.message}`.slice(0, 300);
}

function listOf(found) {
  const list = document.createElement("ul");
  for (const each of found) {
    const item = document.createElement("li");
    if (each.line) {
      const link = element("a", `Line ${each.line}`);
      link.href = "#pipeline";
      link.dataset.line = each.line;
      link.dataset.column = each.column;
      item.append(link, " ");
    }
    if (each.step) item.append(chip(["step ", element("bdi", each.step)]), " ");
    const message = element("span", each.message);
    message.dir = "auto";
    item.append(message);
    list.append(item);
  }
  return list;
}

function outlineOf(steps) {
  if (!steps.length) return [];
  const line = element("p", "");
  line.className = "outline";
  const count = element("span", "");
  count.className = "good";
  const sign = element("span", "✓");
  sign.ariaHidden = "true";
  count.append(sign, ` ${steps.length} ${steps.length === 1 ? "step" : "steps"}:`);
  line.append(count, " ");
  for (const step of steps) line.append(chip([element("bdi", step.id), " · ", element("bdi", step.runs)]), " ");
  return [line];
}

function chip(parts) {
  const made = element("span", "");
  made.className = "chip";
  made.append(...parts);
  return made;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
