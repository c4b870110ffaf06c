// Times in the reader's own zone, and ages that go on. The server writes UTC.

import { onRefresh } from "./live.js";

const EVERY_MS = 10000;
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
    if (!time.classList.contains("ago")) {
      set(time, whole.format(moment));
      continue;
    }
    const seconds = (Date.now() - moment.getTime()) / 1000;
    set(time, seconds >= 0 ? `${rough(seconds)} ago` : `in ${rough(-seconds)}`);
    if (time.title !== whole.format(moment)) time.title = whole.format(moment);
  }
}

function set(time, text) {
  if (time.textContent !== text) time.textContent = text;
}

write();
onRefresh(write);
setInterval(write, EVERY_MS);
