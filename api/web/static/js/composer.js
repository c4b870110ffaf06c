// Where one writes a message: Enter sends, Shift+Enter begins a line, files are uploaded as they are
// chosen or dropped. What was sent is cleared, and gets another key: the same key is the same message.

import { alarm, announce } from "./announce.js";

const KEY_BYTES = 16;
const form = document.querySelector("[data-composer]");
const uploading = new Set();
let words = "";
let isNextDue = false;

document.documentElement.classList.add("scripted");

for (const hint of document.querySelectorAll("[data-scripted]")) hint.hidden = false;

document.addEventListener("done", (event) => {
  const sent = event.target;
  if (!sent.matches("[data-composer], [data-clears]")) return;
  const key = sent.elements.key?.value;
  const field = sent.querySelector("textarea");
  // What was typed while it was on its way is the next message.
  const typed = sent === form && field.value !== words ? field.value : "";
  sent.reset();
  field.value = typed;
  if (key) sent.elements.key.value = anotherKey();
  sent.querySelector("[data-attached]")?.replaceChildren();
  field.focus();
  if (typed && isNextDue) setTimeout(() => form.requestSubmit());
  isNextDue = false;
});

function anotherKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

if (form) {
  const text = form.elements.content;
  text.dataset.search = "";
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!text.value.trim()) return;
    if (form.dataset.busy) isNextDue = true;
    else form.requestSubmit();
  });
  form.querySelector("[data-files]").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    form.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take([...event.clipboardData.files]);
  });
  form.addEventListener(
    "submit",
    (event) => {
      if (!form.dataset.busy) words = text.value;
      if (!uploading.size) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      alarm("A file is still on its way. Send the message once it is there.");
    },
    true,
  );
}

function take(files) {
  for (const file of files) void upload(file);
}

async function upload(file) {
  const list = form.querySelector("[data-attached]");
  const item = document.createElement("li");
  const name = document.createElement("bdi");
  name.textContent = file.name;
  item.append(name, " uploading…");
  list.append(item);
  list.hidden = false;
  uploading.add(file);
  try {
    const fields = new FormData();
    fields.append("file", file);
    const answer = await fetch("/api/v1/files", { method: "POST", body: fields });
    const stored = await answer.json();
    if (!answer.ok) throw new Error(stored.detail);
    attach(item, name, stored);
    announce(`${file.name} is attached`);
  } catch (error) {
    item.remove();
    alarm(`${file.name} was not uploaded: ${error.message}`);
  } finally {
    uploading.delete(file);
  }
}

function attach(item, name, stored) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "attached";
  field.value = `${stored.name}=file:${stored.id}`;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "quiet";
  remove.textContent = "×";
  remove.ariaLabel = `Remove ${stored.name}`;
  remove.addEventListener("click", () => item.remove());
  item.replaceChildren(name, field, remove);
}
