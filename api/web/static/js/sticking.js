// Who reads the end of a page stays at its end while it grows; who reads elsewhere is left alone.

import { onRefresh } from "./live.js";

const NEAR_PX = 48;

export function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  return scrollHeight - scrollTop - clientHeight < NEAR_PX;
}

export function toEnd() {
  scrollTo({ top: document.documentElement.scrollHeight });
}

// Does something that may make the page longer.
export function sticking(act) {
  const stays = isAtEnd();
  act();
  if (stays) toEnd();
}

// Begins at the end, and stays there also when the page is fetched again. To be called after every
// `onRefresh` that changes how long the page is.
export function followEnd() {
  let stays = true;
  onRefresh(() => {
    if (stays) toEnd();
  });
  // The page grows without anybody scrolling.
  addEventListener("scroll", () => (stays = isAtEnd()), { passive: true });
  if (!location.hash) toEnd();
}
