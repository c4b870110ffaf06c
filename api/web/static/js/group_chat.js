// A group: whoever reads the end of it stays there. The members, who is thinking, and what was said
// are fetched again by live.js.

import { announce } from "./announce.js";
import { onEvent, onRefresh } from "./live.js";
import { toEnd } from "./sticking.js";

const SPOKEN_CHARACTERS = 200;
const transcript = document.getElementById("transcript");
let stays = true;

onEvent("message", (data) => {
  stays ||= isNearEnd();
  const words = data.content.slice(0, SPOKEN_CHARACTERS);
  announce(data.reason ? "The group is silent" : `${data.from_name}: ${words}`);
  return true;
});
onEvent("group.deleted", () => location.assign("/groups"));
onRefresh(() => {
  if (stays) toEnd();
  stays = false;
});

function isNearEnd() {
  const last = transcript.lastElementChild;
  return !last || last.getBoundingClientRect().top < innerHeight;
}

if (!location.hash) toEnd();
