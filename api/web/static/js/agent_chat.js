// The conversation with an agent. What was said is of the server; here is only what is being said:
// the stream begins with the whole of the present answer, and the answer's reply takes its place.

import { announce } from "./announce.js";
import { onEvent, onRefresh } from "./live.js";
import { Running } from "./running.js";
import { followEnd, sticking } from "./sticking.js";

const SPOKEN_CHARACTERS = 200;
const running = new Running(document.getElementById("running"));
let isOver = false;

// What happens within the answer. Taken with `act`, and not fetched.
function within(type, act) {
  onEvent(type, (data) => {
    if (data.task_id !== running.task) isOver = isAnswered(data.task_id);
    if (isOver) return false;
    sticking(() => act(running.of(data.task_id), data));
    return false;
  });
}

within("turn.started", (now, data) => now.begin(data.turn));
within("llm.delta", (now, data) => now.write(data.turn, data.text ?? ""));
within("llm.restarted", (now, data) => now.restart(data.turn));
within("message.created", (now, data) => now.complete(data.turn, data.content ?? ""));
within("llm.retrying", (now, data) => now.say(trouble(data)));
within("turn.held", (now, data) => now.say(`waits for ${data.reason}`));
within("step.held", (now, data) => now.say(`waits for ${data.reason}`));
within("tool.called", (now, data) => now.call(data.step, data.tool, data.arguments));
within("tool.result", (now, data) => now.result(data.step, data.ok !== false, data.text ?? ""));
within("artifact.created", (now, data) => now.file(data.step, data.id, data.name));
within("usage", (now, data) => now.use(data.tokens ?? 0, data.cost_usd ?? 0));

function trouble(data) {
  const reason = data.error?.message ?? "there was no answer";
  return data.next_attempt_at ? `tries again: ${reason}` : `asks another model: ${reason}`;
}

// What a person decides is on the page that the server makes.
onEvent("approval.asked", (data) => {
  running.sign(data.step, "asks");
  announce(`${data.tool || "A call"} waits for you`);
  return true;
});
onEvent("approval.decided", () => true);
onEvent("agent.deleted", () => location.assign("/agents"));

onEvent("message", (data) => {
  const isKnown = document.getElementById(`m${data.seq}`);
  if (data.kind === "reply") announce(`${data.from_name}: ${data.content.slice(0, SPOKEN_CHARACTERS)}`);
  return !isKnown;
});

onEvent("agent", (data) => {
  const { state, task, unread } = document.getElementById("strip").dataset;
  if (running.task) isOver = running.task !== data.task_id || isAnswered(running.task);
  return state !== data.state || task !== (data.task_id ?? "") || Number(unread) !== data.unread || Boolean(data.waits_for);
});

function isAnswered(task) {
  return Boolean(document.querySelector(`[data-reply-of="${CSS.escape(task)}"]`));
}

onRefresh(() => {
  if (running.task && (isOver || isAnswered(running.task))) {
    isOver = true;
    running.clear();
  }
});
followEnd();
