// The rows of inputs: one for each that the pipeline declares, or as many as are needed.

const MOST_ROWS = 64;
const form = document.getElementById("new-task");
const rows = document.getElementById("rows");
const isPipeline = form.classList.contains("pipeline");

export function givenInputs() {
  const given = {};
  for (const row of rows.children) {
    const ref = row.querySelector(".ref").value.trim();
    const name = nameOf(row);
    if (name && ref) given[name] = ref;
  }
  return given;
}

export function nameOf(row) {
  return row.querySelector('[name$=".name"]').value.trim();
}

// References stay with the names; what is no longer declared goes if nothing was given for it.
export function wantInputs(inputs) {
  const known = new Map([...rows.children].map((row) => [nameOf(row), row]));
  const wanted = inputs.slice(0, MOST_ROWS).map(({ name }) => known.get(name) ?? made(name));
  const kept = [...rows.children].filter(
    (row) => !wanted.includes(row) && (row.querySelector(".ref").value || row.dataset.busy),
  );
  const next = [...wanted, ...kept];
  if (next.length !== rows.children.length || next.some((row, index) => rows.children[index] !== row)) {
    rows.replaceChildren(...next);
    renumber();
  }
  const hint = document.getElementById("no-inputs");
  if (hint) hint.hidden = next.length > 0;
}

// Where a file that was dropped belongs: the first input that has none, or a new row.
export function rowForFile(fileName) {
  const free = [...rows.children].find((row) => !row.querySelector(".ref").value && !row.dataset.busy);
  if (isPipeline) return free ?? null;
  const row = free ?? (rows.children.length < MOST_ROWS ? made("") : null);
  if (!row) return null;
  if (!row.parentNode) rows.append(row);
  const field = row.querySelector('[name$=".name"]');
  if (!field.value) field.value = unused(inputName(fileName));
  renumber();
  return row;
}

// There is always an empty row at the end.
export function keepOneFree() {
  if (isPipeline || rows.children.length >= MOST_ROWS) return;
  const last = rows.lastElementChild;
  if (!last || last.querySelector(".ref").value || last.dataset.busy) {
    rows.append(made(""));
    renumber();
  }
}

function made(name) {
  const row = document.createElement("div");
  row.className = "input-row";
  row.dataset.input = name;
  const field = document.createElement("input");
  field.name = "x.name";
  field.value = name;
  if (isPipeline) {
    field.type = "hidden";
    const shown = document.createElement("span");
    shown.className = "name";
    const isolated = document.createElement("bdi");
    isolated.textContent = name;
    shown.append(isolated);
    row.append(field, shown);
  } else {
    Object.assign(field, { className: "name", placeholder: "name", maxLength: 63, autocomplete: "off" });
    row.append(field);
  }
  const ref = document.createElement("input");
  Object.assign(ref, { className: "ref", name: "x.ref", dir: "ltr", autocomplete: "off", spellcheck: false });
  ref.setAttribute("list", "recent");
  ref.placeholder = "a file, or file:… artifact:… s3://… https://…";
  const file = document.createElement("input");
  Object.assign(file, { type: "file", name: "x.file" });
  const upload = document.createElement("span");
  upload.className = "upload";
  upload.dataset.upload = "";
  row.append(ref, file, upload);
  return row;
}

function renumber() {
  [...rows.children].forEach((row, index) => {
    const label = nameOf(row) || `input ${index + 1}`;
    for (const part of ["name", "ref", "file"]) row.querySelector(`[name$=".${part}"]`).name = `inputs.${index}.${part}`;
    row.querySelector('[name$=".name"]').ariaLabel = `Name of input ${index + 1}`;
    row.querySelector(".ref").ariaLabel = `Reference of ${label}`;
    row.querySelector('[type="file"]').ariaLabel = `File for ${label}`;
  });
}

function inputName(fileName) {
  const letters = fileName.replace(/[^A-Za-z0-9_-]/g, "_");
  return (/^[A-Za-z]/.test(letters) ? letters : `_${letters}`).slice(0, 50);
}

function unused(name) {
  const taken = new Set([...rows.children].map(nameOf));
  let found = name;
  for (let number = 2; taken.has(found); number += 1) found = `${name}_${number}`;
  return found;
}
