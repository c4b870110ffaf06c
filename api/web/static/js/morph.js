// Makes one element like another, and touches only what differs: focus, selection, scroll, and what
// somebody is typing stay.

// What the reader has changed is the reader's.
const KEPT = new Set(["open"]);

export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to.cloneNode(true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.hasAttribute("data-kept")) return;
  copyAttributes(from, to);
  if (!isField(from)) morphChildren(from, to);
}

function copyAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function isField(element) {
  return element.matches("input, textarea, select");
}

// Children with an id, or a `data-id`, are found again wherever they have moved.
function morphChildren(from, to) {
  const known = new Map();
  for (const child of from.children) if (keyOf(child)) known.set(keyOf(child), child);
  let place = from.firstChild;
  for (const wanted of to.childNodes) {
    const key = keyOf(wanted);
    const same = key ? known.get(key) : place && !keyOf(place) ? place : null;
    if (!same) {
      from.insertBefore(wanted.cloneNode(true), place);
      continue;
    }
    if (same === place) place = place.nextSibling;
    else from.insertBefore(same, place);
    morph(same, wanted);
  }
  while (place) {
    const following = place.nextSibling;
    place.remove();
    place = following;
  }
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("id") || node.dataset.id || "" : "";
}
