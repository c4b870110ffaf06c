// The answer that an agent is giving: the words and calls of its turns, as events tell of them.
// All text is foreign: it becomes text nodes, and nothing else.

const SHOWN_CHARACTERS = 20000;
const SIGNS = { running: "●", good: "✓", bad: "✗", asks: "‖" };

export class Running {
  constructor(place) {
    this.place = place;
    this.parts = place.querySelector("[data-parts]");
    this.status = place.querySelector("[data-status]");
    this.spent = place.querySelector("[data-spent]");
    this.task = null;
    this.clear();
  }

  clear() {
    this.words = new Map();
    this.calls = new Map();
    this.tokens = 0;
    this.dollars = 0;
    this.parts.replaceChildren();
    this.status.textContent = this.spent.textContent = "";
    this.place.hidden = true;
  }

  // An exchange is a task: another one begins anew.
  of(task) {
    if (task === this.task) return this;
    this.clear();
    this.task = task;
    return this;
  }

  // What was seen of this turn, and of those after it, does not count any more.
  begin(turn) {
    for (const part of [...this.parts.children]) if (Number(part.dataset.turn) >= turn) part.remove();
    for (const [number] of this.words) if (number >= turn) this.words.delete(number);
    for (const [step, call] of this.calls) if (!call.isConnected) this.calls.delete(step);
    this.say("thinking");
  }

  restart(turn) {
    this.words.get(turn)?.replaceChildren();
    this.say("begins this answer again");
  }

  write(turn, text) {
    let words = this.words.get(turn);
    if (!words) {
      words = this.add(document.createElement("p"), turn);
      words.className = "words";
      words.dir = "auto";
      this.words.set(turn, words);
    }
    if (words.lastChild) words.lastChild.appendData(text);
    else words.append(text.trimStart());
    this.say("writing");
  }

  // The answer of a turn is complete; its pieces may be gone by now.
  complete(turn, content) {
    if (content.trim() && !this.words.get(turn)?.textContent) this.write(turn, content);
    this.say("");
  }

  call(step, tool, given) {
    const call = this.calls.get(step) ?? this.newCall(step);
    call.querySelector("[data-tool]").textContent = tool || step;
    call.querySelector("[data-arguments]").textContent = cut(textOf(given));
    this.sign(step, "running");
    this.say("");
  }

  result(step, isFine, text) {
    const call = this.calls.get(step) ?? this.newCall(step);
    call.querySelector("[data-result]").textContent = cut(text);
    this.sign(step, isFine ? "good" : "bad");
  }

  sign(step, colour) {
    const sign = this.calls.get(step)?.querySelector(".sign");
    if (!sign) return;
    sign.textContent = SIGNS[colour];
    sign.className = `sign state ${colour === "running" ? "busy" : colour}`;
  }

  file(step, id, name) {
    const line = this.add(document.createElement("p"), turnOf(step));
    const link = line.appendChild(document.createElement("a"));
    link.href = `/api/v1/artifacts/${encodeURIComponent(id)}`;
    link.appendChild(document.createElement("bdi")).textContent = name;
  }

  use(tokens, dollars) {
    this.tokens += tokens;
    this.dollars += dollars;
    const cost = this.dollars ? ` · $${this.dollars.toFixed(4)}` : "";
    this.spent.textContent = `${this.tokens.toLocaleString("en")} tokens${cost}`;
  }

  say(text) {
    this.status.textContent = text;
    this.place.hidden = false;
  }

  newCall(step) {
    const call = this.add(document.createElement("details"), turnOf(step));
    call.className = "call";
    const summary = call.appendChild(document.createElement("summary"));
    const sign = summary.appendChild(document.createElement("span"));
    sign.className = "sign";
    sign.ariaHidden = "true";
    const tool = document.createElement("bdi");
    tool.dataset.tool = "";
    const code = document.createElement("code");
    code.append(tool);
    summary.append(" ", code);
    for (const [name, label] of [["arguments", "Arguments"], ["result", "Result"]]) {
      const title = call.appendChild(document.createElement("p"));
      title.className = "label";
      title.textContent = label;
      const text = call.appendChild(document.createElement("pre"));
      text.className = "wrap";
      text.dir = "auto";
      text.tabIndex = 0;
      text.dataset[name] = "";
      text.setAttribute("role", "group");
      text.setAttribute("aria-label", label);
    }
    this.calls.set(step, call);
    return call;
  }

  add(part, turn) {
    part.dataset.turn = turn;
    this.parts.append(part);
    this.place.hidden = false;
    return part;
  }
}

// Calls are named `<turn>.<number>`.
function turnOf(step) {
  return Number.parseInt(step, 10) || 0;
}

function textOf(given) {
  if (given === null || given === undefined) return "";
  return typeof given === "string" ? given : JSON.stringify(given, null, 2);
}

function cut(text) {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
