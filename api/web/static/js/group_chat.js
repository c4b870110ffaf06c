// A group: whoever reads the end of it stays there. The members, who is thinking, and what was said
// are fetched again by live.js.

import { announce } from "./announce.js";
import { onEvent } from "./live.js";
import { followEnd } from "./sticking.js";

const SPOKEN_CHARACTERS = 200;

onEvent("message", (data) => {
  const words = data.content.slice(0, SPOKEN_CHARACTERS);
  announce(data.reason ? "The group is silent" : `${data.from_name}: ${words}`);
  return true;
});
onEvent("group.deleted", () => location.assign("/groups"));
followEnd();
