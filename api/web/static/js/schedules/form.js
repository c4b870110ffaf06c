// Asks when the schedule would run, as its times are typed.

const PAUSE_MS = 300;
const form = document.getElementById("schedule-form");
const preview = document.getElementById("preview");
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const names = ["cron", "every", "time_zone"];
let timer = null;
let asking = null;

for (const name of [...names, "timing"]) {
  for (const field of form.querySelectorAll(`[name="${name}"]`)) {
    field.addEventListener("input", () => {
      if (name === "cron" || name === "every") form.querySelector(`[value="${name}"]`).checked = true;
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE_MS);
    });
  }
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const timing = form.elements.timing.value;
  const body = { [timing]: form.elements[timing].value };
  const zone = form.elements.time_zone.value.trim();
  if (timing === "cron" && zone) body.time_zone = zone;
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: asking.signal,
    });
    if (answer.ok) show(await answer.json());
  } catch {
    // Another question took its place, or the server is away.
  }
}

function show({ next_times: times, problems }) {
  const found = problems.find((each) => names.includes(each.pointer.slice(1)));
  const said = document.createElement("p");
  if (!times.length) {
    said.className = "problem";
    said.dir = "auto";
    said.textContent = found?.message ?? "It would not run.";
    preview.replaceChildren(said);
    return;
  }
  said.className = "soft";
  said.textContent = "It would run next:";
  const list = document.createElement("ol");
  list.className = "times";
  for (const each of times) {
    const item = document.createElement("li");
    item.textContent = whole.format(new Date(each));
    list.append(item);
  }
  preview.replaceChildren(said, list);
}
