// What parts can do beyond their HTML: dialogs open, messages close, values are copied.
for (const button of document.querySelectorAll("[data-opens]")) {
  button.hidden = false;
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.hidden = false;
  button.addEventListener("click", () => button.parentElement.remove());
}
// Of those that are not ready yet: a page that renews a part of itself calls it again.
export function copies() {
  for (const button of document.querySelectorAll(".copy[data-copies][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copies);
      document.querySelector("p.told").textContent = button.dataset.said;
      button.textContent = button.dataset.said;
    });
  }
}
copies();
// A narrow window shows the rows of a table as cards: each value is named by the head of its column.
// Cells that are laid out otherwise are no cells to every reader, so it is said what they are.
export function folds() {
  for (const table of document.querySelectorAll(".scroll > table:not(.folds)")) {
    const heads = [...table.querySelectorAll("thead th")];
    if (!heads.length) continue;
    table.classList.add("folds");
    table.setAttribute("role", "table");
    heads.forEach((head) => head.setAttribute("role", "columnheader"));
    table.querySelectorAll("thead, tbody").forEach((group) => group.setAttribute("role", "rowgroup"));
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      if (row.parentElement.tagName !== "TBODY") continue;
      [...row.cells].forEach((cell, place) => {
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        if (cell.colSpan > 1 || heads[place]?.querySelector(".told-only")) cell.classList.add("unnamed");
        else cell.dataset.label = heads[place]?.textContent ?? "";
      });
    }
  }
}
folds();
