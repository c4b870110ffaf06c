// Says things to screen readers, politely and at most once a second; and shows what went wrong.

const PAUSE_MS = 1000;
const SHOWN_MS = 12000;
let waiting = "";
let timer = null;

export function announce(text) {
  waiting = text;
  timer ??= setTimeout(say, 0);
}

function say() {
  document.getElementById("announcer").textContent = waiting;
  waiting = "";
  timer = setTimeout(() => {
    timer = null;
    if (waiting) announce(waiting);
  }, PAUSE_MS);
}

// What was said of an act is over once something else is tried.
export function hush() {
  document.getElementById("alerts").replaceChildren();
}

export function alarm(text) {
  const shown = document.createElement("p");
  shown.className = "alert";
  shown.dir = "auto";
  shown.textContent = text;
  document.getElementById("alerts").append(shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}
