// The reference is whole without this: it finds calls in the contents, and keeps the language chosen.
const find = document.getElementById("find");
const contents = document.querySelector(".contents");
const found = document.querySelector(".found");
const all = contents.querySelector(".all");
document.querySelector(".find").hidden = false;
// A phone begins with the text; whoever follows the contents has read them.
const narrow = matchMedia("(max-width: 40rem)");
all.open = !narrow.matches;
contents.addEventListener("click", (clicked) => clicked.target.closest("a") && (all.open = !narrow.matches));

find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const call of contents.querySelectorAll("li[data-words]")) {
    const told = call.dataset.words.toLowerCase();
    const fits = words.every((word) => told.includes(word));
    call.hidden = !fits;
    count += fits && words.length > 0;
  }
  for (const part of contents.querySelectorAll("li details")) {
    part.open = words.length > 0 && part.querySelector("li:not([hidden])") !== null;
    part.closest("li").hidden = words.length > 0 && !part.open;
  }
  all.open = words.length > 0 || !narrow.matches;
  found.textContent = words.length ? count || find.dataset.none : "";
});

addEventListener("keydown", (pressed) => {
  if (pressed.key === "/" && !pressed.target.closest("input, textarea")) {
    pressed.preventDefault();
    find.focus();
  }
});

const tongues = document.querySelectorAll("[name=tongue]");
const kept = localStorage.getItem("tongue");
for (const tongue of tongues) {
  if (tongue.value === kept) tongue.checked = true;
  tongue.addEventListener("change", () => localStorage.setItem("tongue", tongue.value));
}
