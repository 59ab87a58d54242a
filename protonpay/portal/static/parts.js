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
