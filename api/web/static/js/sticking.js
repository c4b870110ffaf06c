// Who reads the end of a page stays at its end while it grows; who reads elsewhere is left alone.

const NEAR = 48;

export function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  return scrollHeight - scrollTop - clientHeight < NEAR;
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
