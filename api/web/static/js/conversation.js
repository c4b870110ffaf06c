// Shows what a model says while it says it. The server's own rendering takes its place once the
// answer is complete.

import { onEvent, onRefresh } from "./live.js";
import { isAtEnd, sticking, toEnd } from "./sticking.js";

const place = document.getElementById("streaming");
const words = place?.querySelector("[data-words]");
let turn = null;
let isComplete = false;

// Appends words of a turn; those of an answer that the page has already are old.
function say(text, ofTurn = null) {
  if (!words || document.querySelector(`[data-turn="${ofTurn}"]`)) return;
  if (ofTurn !== turn) withdraw();
  turn = ofTurn;
  isComplete = false;
  sticking(() => {
    if (words.lastChild) words.lastChild.appendData(text);
    else words.append(text);
    place.hidden = false;
  });
}

// The words so far do not count.
function withdraw() {
  if (!words) return;
  words.replaceChildren();
  place.hidden = true;
}

// The answer is complete: its words go once the page that holds it is there.
function complete() {
  isComplete = true;
}

onEvent("llm.delta", (data) => say(data.text, data.turn));
onEvent("llm.restarted", withdraw);
onEvent("turn.started", () => {
  withdraw();
  return true;
});
onEvent("message.created", () => {
  complete();
  return true;
});
onRefresh(() => {
  const stays = isAtEnd();
  if (isComplete) withdraw();
  if (stays) toEnd();
});
