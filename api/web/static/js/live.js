// Follows what happens. There is one connection a tab, and none while the tab is hidden. When
// something has happened the page is fetched again, and what differs in `[data-fresh]` is replaced.
//
// <main data-live="URL"> names the stream. Of `/live`, `data-topics="tasks agents"` says which changes
// concern the page; of a task, an agent or a group, every event does but those that a module takes
// itself with `onEvent`. `data-every="2"` fetches the page every two seconds as well.

import { announce } from "./announce.js";
import { morph } from "./morph.js";

const REST_MS = 1000;
const RETRY_MS = 3000;
const main = document.getElementById("content");
const takers = new Map();
const refreshed = new Set();
let source = null;
let lastId = "";
let due = null;
let isFetching = false;
let isStale = false; // Something has happened since the page that is on its way was asked for.
let lastFetch = 0;
let wasLost = false;

// Takes events of a type: `take(data, event)`. True as an answer means that the page is to be fetched.
export function onEvent(type, take) {
  takers.set(type, take);
  if (source) listen(source, type);
}

// Called with the fetched document after each refresh.
export function onRefresh(act) {
  refreshed.add(act);
}

function refresh() {
  if (isFetching) isStale = true;
  if (isFetching || due !== null || document.hidden) return;
  const rest = Math.max(0, lastFetch + REST_MS - performance.now());
  due = setTimeout(fetchPage, rest);
}

async function fetchPage() {
  due = null;
  isFetching = true;
  isStale = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") location.reload();
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The stream says when the server is back.
  } finally {
    isFetching = false;
    lastFetch = performance.now();
    if (isStale) refresh();
  }
}

export function show(fresh) {
  for (const part of document.querySelectorAll("[data-fresh][id]")) {
    const wanted = fresh.getElementById(part.id);
    if (wanted) morph(part, wanted);
  }
  const { said: says, live, since } = fresh.getElementById("content")?.dataset ?? {};
  if (says && says !== main.dataset.said) {
    main.dataset.said = says;
    announce(says);
  }
  if (says && main.dataset.live && !live) {
    // What the page followed has ended.
    delete main.dataset.live;
    disconnect();
  }
  if (since) main.dataset.since = since;
  if (fresh.title) document.title = fresh.title;
  for (const act of refreshed) act(fresh);
}

function connect() {
  const address = main?.dataset.live;
  if (!address || source || document.hidden) return;
  const url = new URL(address, location.href);
  if (lastId) url.searchParams.set("after", lastId);
  // What has changed since the page was drawn is told at once.
  if (url.pathname === "/live") url.searchParams.set("since", main.dataset.since);
  source = new EventSource(url);
  source.addEventListener("open", () => {
    if (wasLost) refresh();
    wasLost = false;
    document.documentElement.dataset.connection = "open";
  });
  source.addEventListener("error", onLost);
  source.addEventListener("changed", (event) => {
    const concerns = (main.dataset.topics ?? "").split(" ");
    if (event.data.split(" ").some((topic) => topic === "standing" || concerns.includes(topic))) refresh();
  });
  for (const type of new Set([...takers.keys(), ...(main.dataset.events ?? "").split(" ")])) {
    if (type) listen(source, type);
  }
}

function listen(source, type) {
  source.addEventListener(type, (event) => {
    if (event.lastEventId) lastId = event.lastEventId;
    const take = takers.get(type);
    if (!take || take(JSON.parse(event.data), event)) refresh();
  });
}

function onLost() {
  wasLost = true;
  document.documentElement.dataset.connection = "lost";
  if (source?.readyState === EventSource.CLOSED) {
    // The server has refused: the browser would not try again by itself.
    disconnect();
    setTimeout(connect, RETRY_MS);
  }
}

function disconnect() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return disconnect();
  refresh();
  connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted) refresh();
  connect();
});
const every = Number(main?.dataset.every ?? 0);
if (every > 0) setInterval(refresh, every * 1000);
// Not before every module of the page listens: what is sent first would be lost.
addEventListener("DOMContentLoaded", connect);
