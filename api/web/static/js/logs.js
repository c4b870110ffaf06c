// The log as it grows: lines of attempts that go on, a filter at once, and following.

import { announce } from "./announce.js";
import { coloured } from "./ansi.js";
import { onEvent, onRefresh } from "./live.js";
import { isAtEnd, toEnd } from "./sticking.js";

const CHUNK_LINES = 100;
const PAUSE_MS = 120;
const MOST_CHUNKS = 60; // Of a live attempt; the page that comes at its end has more.
const live = document.getElementById("live-log");
const search = document.getElementById("q");
const follow = document.getElementById("follow");
const matches = document.getElementById("matches");
const asked = search.value; // The server has left out lines without it.
const attempts = new Map(); // Of steps: what each has printed since it began.

// Follows: who is at the end stays there.
let follows = false;
let isDue = false;
follow.hidden = !document.getElementById("content").dataset.live;
follow.addEventListener("click", () => setFollowing(!follows));
const UPWARDS = new Set(["ArrowUp", "PageUp", "Home"]);
addEventListener("keydown", (event) => {
  if (follows && UPWARDS.has(event.key)) setFollowing(false);
  const isTyping = event.target.closest?.("input, textarea, select");
  if (event.key === "f" && !isTyping && !event.ctrlKey && !event.metaKey && !follow.hidden) setFollowing(!follows);
});
addEventListener("wheel", (event) => {
  if (event.deltaY < 0 && follows) setFollowing(false);
});
addEventListener("touchmove", () => {
  if (follows && !isAtEnd()) setFollowing(false);
});

function setFollowing(on) {
  follows = on;
  follow.setAttribute("aria-pressed", String(on));
  announce(on ? "Following the log" : "Not following any more");
  if (on) toEnd();
}

function grow(act) {
  const stays = follows || isAtEnd();
  act();
  if (!stays || isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    toEnd();
  });
}

// Live output. Its elements are ours, its words are only ever text.
function outputOf(step, stream) {
  const known = attempts.get(step) ?? begin(step, 1);
  known.streams[stream] ??= addStream(known, stream);
  return known.streams[stream];
}

function begin(step, attempt) {
  attempts.get(step)?.section.remove();
  const section = element("section", "attempt-log");
  const title = element("h3");
  const name = element("bdi");
  name.textContent = step;
  title.append(name, ` attempt ${attempt}, running`);
  section.append(title);
  live.append(section);
  const known = { section, attempt, streams: {}, label: `${step}, attempt ${attempt}` };
  attempts.set(step, known);
  return known;
}

function addStream(known, stream) {
  const label = element("p", "label");
  label.textContent = stream;
  const block = element("pre", `log ${stream}`);
  block.tabIndex = 0;
  block.setAttribute("role", "group");
  block.setAttribute("aria-label", `${stream} of ${known.label}, live`);
  known.section.append(label, block);
  return { block, count: 0, line: null, rest: "", look: new Set() };
}

function append(output, text) {
  // A return at the end may be the half of a line end.
  const lines = (output.rest + text).replaceAll(/\r\n|\r(?!$)/g, "\n").split("\n");
  output.rest = lines.pop();
  for (const line of lines) addLine(output, line);
  if (output.rest) showRest(output);
}

function addLine(output, text) {
  output.line?.remove();
  output.line = null;
  const line = lineOf(output, text, ++output.count);
  chunkFor(output).append(line);
}

// A line that has not ended yet: shown, and made anew when it goes on.
function showRest(output) {
  output.line?.remove();
  output.line = lineOf({ ...output, look: new Set(output.look) }, output.rest, output.count + 1);
  chunkFor(output).append(output.line);
}

function lineOf(output, text, number) {
  const line = element("span");
  line.dataset.n = number;
  line.append(...coloured(text, output.look), "\n");
  line.hidden = !isMatch(line);
  return line;
}

function chunkFor(output) {
  let chunk = output.block.lastElementChild;
  if (!chunk || chunk.childElementCount >= CHUNK_LINES) {
    chunk?.classList.remove("short");
    chunk = element("code", "chunk short");
    output.block.append(chunk);
    if (output.block.childElementCount > MOST_CHUNKS) output.block.firstElementChild.remove();
  }
  return chunk;
}

function element(name, className = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  return made;
}

function isWanted(step) {
  return !live.dataset.step || live.dataset.step === step;
}

onEvent("step.started", ({ step, attempt }) => {
  if (isWanted(step)) begin(step, attempt);
  return true;
});
onEvent("step.output", ({ step, stream, text }) => {
  if (isWanted(step)) grow(() => append(outputOf(step, stream), text));
});
onEvent("step.output_cut", ({ step }) => {
  if (isWanted(step)) grow(() => append(outputOf(step, "stdout"), "\n… more is printed than is shown live\n"));
});

// Once an attempt has ended, the page has all it printed.
const ended = new Set();
for (const type of ["step.retrying", "step.completed", "step.failed", "step.blocked", "step.cancelled", "step.held"]) {
  onEvent(type, ({ step }) => {
    ended.add(step);
    return true;
  });
}
onRefresh(() => {
  const stays = follows || isAtEnd();
  for (const step of ended) {
    attempts.get(step)?.section.remove();
    attempts.delete(step);
  }
  ended.clear();
  if (search.value !== asked) filter();
  if (stays && live.childElementCount + follows) toEnd();
});

// The filter, at once and without the server.
let pause = 0;
search.addEventListener("input", () => {
  clearTimeout(pause);
  // What the server has left out only it can bring back.
  if (asked && !search.value.toLowerCase().includes(asked.toLowerCase())) return;
  pause = setTimeout(filter, PAUSE_MS);
});

function isMatch(line) {
  const wanted = search.value.toLowerCase();
  return !wanted || line.textContent.toLowerCase().includes(wanted);
}

function filter() {
  let shown = 0;
  for (const line of document.querySelectorAll(".chunk > span")) {
    line.hidden = !isMatch(line);
    if (!line.hidden) shown += 1;
  }
  document.documentElement.toggleAttribute("data-filtered", Boolean(search.value));
  matches.textContent = search.value ? `${shown} ${shown === 1 ? "line" : "lines"}` : "";
  const url = new URL(location.href);
  if (search.value) url.searchParams.set("q", search.value);
  else url.searchParams.delete("q");
  if (!asked) history.replaceState(history.state, "", url);
}
