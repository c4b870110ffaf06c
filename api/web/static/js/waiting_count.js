// How much waits for a person, beside the link that leads there.

import { onRefresh } from "./live.js";

const REST_MS = 5000;
const link = document.querySelector('nav a[href="/waiting"]');
let asked = -REST_MS;

async function count() {
  if (!link || document.hidden || performance.now() < asked + REST_MS) return;
  asked = performance.now();
  const answer = await fetch("/api/v1/approvals/count").catch(() => null);
  if (answer?.ok) show(await answer.json());
}

function show({ count: number, is_more: isMore }) {
  const shown = link.querySelector(".count") ?? document.createElement("span");
  shown.className = "count";
  shown.textContent = number ? ` ${number}${isMore ? "+" : ""}` : "";
  if (!shown.isConnected) link.append(shown);
}

count();
onRefresh(count);
