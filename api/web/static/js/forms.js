// Sends forms with `data-enhance` without leaving the page: what went wrong is said in place, what
// was done is spoken (`data-done`). An answer that leads to another page is followed.

import { alarm, announce, hush } from "./announce.js";
import { show } from "./live.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-enhance")) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "true";
  hush();
  try {
    await send(form, event.submitter);
  } catch {
    alarm("AgentOS does not answer. Nothing may have happened: look again in a moment.");
  } finally {
    delete form.dataset.busy;
  }
});

async function send(form, submitter) {
  const fields = new FormData(form, submitter);
  const isFile = form.enctype === "multipart/form-data";
  const answer = await fetch(submitter?.getAttribute("formaction") ?? form.action, {
    method: "POST",
    body: isFile ? fields : new URLSearchParams(fields),
    headers: { Accept: "text/html" },
  });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) return refused(page, answer);
  const led = new URL(answer.url);
  if (answer.redirected && (led.pathname !== location.pathname || led.search !== location.search)) {
    location.assign(answer.url);
    return;
  }
  show(page);
  if (form.dataset.done) announce(form.dataset.done);
  form.dispatchEvent(new CustomEvent("done", { bubbles: true }));
}

function refused(page, answer) {
  const problem = page.querySelector("#problem .detail");
  alarm(problem?.textContent.trim() || `AgentOS has refused this (${answer.status}).`);
  show(page);
}
