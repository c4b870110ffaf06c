// Times in the reader's own zone, and ages that go on. The server writes UTC.

import { onRefresh } from "./live.js";

const EVERY_MS = 10000;
const LASTING_MS = 1000;
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function rough(seconds) {
  for (const [unit, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= unit) return `${Math.floor(seconds / unit)} ${name}`;
  }
  return `${Math.round(seconds)} s`;
}

function write() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    if (time.classList.contains("lasting")) continue;
    if (!time.classList.contains("ago")) {
      set(time, whole.format(moment));
      continue;
    }
    const seconds = (Date.now() - moment.getTime()) / 1000;
    set(time, seconds >= 0 ? `${rough(seconds)} ago` : `in ${rough(-seconds)}`);
    if (time.title !== whole.format(moment)) time.title = whole.format(moment);
  }
}

// What goes on takes longer each second, though nothing is told of it: a script may be silent.
function last() {
  for (const time of document.querySelectorAll("time.lasting")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds >= 0) set(time, lasting(seconds));
  }
}

// As the server writes durations.
function lasting(seconds) {
  const whole = Math.floor(seconds);
  const two = (count) => String(count).padStart(2, "0");
  if (whole < 60) return `${seconds.toFixed(1)} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function set(time, text) {
  if (time.textContent !== text) time.textContent = text;
}

write();
onRefresh(write);
setInterval(write, EVERY_MS);
setInterval(last, LASTING_MS);
