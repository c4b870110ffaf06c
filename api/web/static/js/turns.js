// How an answer came about is fetched when somebody unfolds it.
document.addEventListener("toggle", onToggle, true);

async function onToggle(event) {
  const address = event.target.dataset?.loads;
  if (!address || !event.target.open || event.target.dataset.loaded) return;
  event.target.dataset.loaded = "true";
  const turn = await fetched(address).catch(() => null);
  if (!turn) {
    // Its link is still there, and whoever unfolds it once more asks again.
    delete event.target.dataset.loaded;
    return;
  }
  turn.removeAttribute("id");
  // Anchors are those of that page.
  for (const part of turn.querySelectorAll("[id]")) part.removeAttribute("id");
  event.target.querySelector("[data-kept]").replaceChildren(document.adoptNode(turn));
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.getElementById("turn");
}
