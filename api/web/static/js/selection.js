// Checks rows: all of the page at once, or with `x` the one that has the focus.

const page = document.getElementById("check-page");
const boxes = () => [...document.querySelectorAll('[data-row] input[type="checkbox"]')];

if (page) {
  page.closest("label").hidden = false;
  page.addEventListener("change", () => {
    for (const box of boxes()) box.checked = page.checked;
  });
}

document.addEventListener("change", (event) => {
  if (!page || !event.target.closest?.("[data-row]")) return;
  const checked = boxes().filter((box) => box.checked).length;
  page.checked = checked > 0 && checked === boxes().length;
  page.indeterminate = checked > 0 && !page.checked;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = event.target.closest?.("[data-row]");
  const box = row?.querySelector('input[type="checkbox"]');
  if (!box || event.target === box) return;
  event.preventDefault();
  box.click();
});
