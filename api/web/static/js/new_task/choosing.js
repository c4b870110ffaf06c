// Skills and tools: a search, and a tick that says that only some are meant.

for (const group of document.querySelectorAll("[data-choices]")) {
  const search = group.querySelector(".search");
  const only = group.querySelector('[type="radio"][value="chosen"]');
  search.hidden = false;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of group.querySelectorAll(".pick li")) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  group.addEventListener("change", (event) => {
    if (event.target.type === "checkbox" && event.target.checked) only.checked = true;
  });
}
