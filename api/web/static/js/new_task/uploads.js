// Files that are chosen or dropped are uploaded at once, with their progress; the form then names them.

import { alarm, announce } from "../announce.js";
import { insert } from "./editor.js";
import { keepOneFree, nameOf, rowForFile } from "./rows.js";

const UPLOADS = "/api/v1/files";
const form = document.getElementById("new-task");
const start = document.getElementById("start");
const hint = document.getElementById("start-hint");
const pipeline = document.getElementById("pipeline");
const MOST_PIPELINE_BYTES = 1024 * 1024;
const mostBytes = Number(form.dataset.mostBytes);
let going = 0;
// The button that was pressed while files were on their way.
let pressed = null;

form.addEventListener("change", (event) => {
  const field = event.target;
  if (field.type !== "file") return;
  const row = field.closest(".input-row");
  for (const file of field.files) upload(file, row ?? rowForFile(file.name));
  field.value = "";
});

form.addEventListener("submit", (event) => {
  if (going > 0) {
    event.preventDefault();
    pressed = event.submitter ?? start;
    hint.textContent = "It goes on by itself when the files are uploaded.";
    return;
  }
  // What was sent is sent once; whoever comes back may send again.
  setTimeout(() => (start.disabled = true), 0);
});
addEventListener("pageshow", () => (start.disabled = false));
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") form.requestSubmit(start);
});

let depth = 0;
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragenter", (event) => {
  if (!hasFiles(event)) return;
  depth += 1;
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!hasFiles(event)) return;
  depth -= 1;
  if (depth <= 0) settle();
});
addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  settle();
  const aimed = event.target.closest?.(".input-row");
  [...event.dataTransfer.files].forEach((file, index) => {
    if (!aimed && isPipeline(file)) return read(file);
    const row = index === 0 && aimed ? aimed : rowForFile(file.name);
    if (row) upload(file, row);
    else alarm(`There is no input left for ${file.name}: declare one in the pipeline first.`);
  });
});

// A file that is dropped beside the inputs, and looks like a pipeline, is opened.
function isPipeline(file) {
  if (!pipeline || file.size > MOST_PIPELINE_BYTES) return false;
  return /\.ya?ml$/i.test(file.name) || (/\.json$/i.test(file.name) && !pipeline.value.trim());
}

async function read(file) {
  const text = await file.text();
  pipeline.focus();
  pipeline.select();
  insert(pipeline, text);
  pipeline.setSelectionRange(0, 0);
  pipeline.scrollTop = 0;
  announce(`${file.name} is opened`);
}

function settle() {
  depth = 0;
  document.body.classList.remove("dropping");
}

function upload(file, row) {
  if (!row) return;
  const place = row.querySelector("[data-upload]");
  if (file.size > mostBytes) return failed(row, place, `${file.name} is larger than the ${mostBytes} bytes that are taken.`);
  const progress = document.createElement("progress");
  progress.ariaLabel = `Upload of ${file.name}`;
  progress.max = 1;
  progress.value = 0;
  const name = document.createElement("bdi");
  name.textContent = file.name;
  place.replaceChildren(progress, " ", name);
  row.dataset.busy = "true";
  going += 1;

  const request = new XMLHttpRequest();
  const fields = new FormData();
  fields.append("file", file, file.name);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) progress.value = event.loaded / event.total;
  });
  request.addEventListener("loadend", () => {
    delete row.dataset.busy;
    going -= 1;
    if (!going) hint.textContent = "";
    if (request.status !== 201) {
      pressed = null;
      return failed(row, place, reason(request, file));
    }
    const kept = JSON.parse(request.responseText);
    row.querySelector(".ref").value = `file:${kept.id}`;
    row.querySelector(".ref").removeAttribute("aria-invalid");
    const sign = document.createElement("span");
    sign.ariaHidden = "true";
    sign.textContent = "✓ ";
    place.replaceChildren(sign, name, ` ${readable(kept.size)}`);
    announce(`${file.name} is uploaded for ${nameOf(row)}`);
    keepOneFree();
    pipeline?.dispatchEvent(new Event("input", { bubbles: true }));
    if (pressed && !going) {
      form.requestSubmit(pressed);
      pressed = null;
    }
  });
  request.open("POST", UPLOADS);
  request.send(fields);
}

function failed(row, place, text) {
  place.replaceChildren();
  alarm(text);
}

function reason(request, file) {
  try {
    return `${file.name}: ${JSON.parse(request.responseText).detail}`;
  } catch {
    return `${file.name} could not be uploaded: AgentOS does not answer.`;
  }
}

function readable(bytes) {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024 || unit === "GiB") return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
}
