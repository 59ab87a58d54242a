// What a screen can do beyond its HTML: stay true by itself, and be sent once. It knows no
// amount and no state: what is shown is always a page that the server has made.
import "./again.js";
import { copies, folds } from "./parts.js";

// A form is sent once; one that comes back with the browser's own "back" can be sent again.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button").forEach((each) => (each.disabled = true)));
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form button").forEach((each) => (each.disabled = false)));

// The menu of a phone is the page "#menu": left without a step in the history that leads nowhere.
addEventListener("keydown", (event) => event.key === "Escape" && location.hash === "#menu" && location.replace("#main"));

// "/" and Ctrl-K lead into the search, unless something is being typed.
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  const meant = event.key === "/" ? !typing && !event.ctrlKey && !event.metaKey && !event.altKey : event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  const field = meant && document.getElementById("find");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

document.querySelector(".notice.bad[role=alert]")?.focus();

// A wait runs down here; whether it is really over is for the server to say.
for (const clock of document.querySelectorAll("[data-seconds]")) {
  const end = Date.now() + clock.dataset.seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    const [hours, minutes, seconds] = [left / 3600, (left / 60) % 60, left % 60].map(Math.floor);
    const parts = hours ? [hours, minutes, seconds] : [minutes, seconds];
    clock.textContent = parts.map((each, place) => (hours && !place ? each : String(each).padStart(2, "0"))).join(":");
    if (left) return setTimeout(tick, 1000);
    const { again, said } = clock.closest("[data-waits]").dataset;
    if (again) return location.replace(again);
    clock.closest("[data-waits]").textContent = document.querySelector("p.told").textContent = said;
  };
  tick();
}

// Parts that stay true by themselves: looked at again while somebody can see them, and at once when they
// come back to the page.
const live = [...document.querySelectorAll("[data-live]")];
let next, looking;
const soon = () => {
  clearTimeout(next);
  if (live.length && !document.hidden) next = setTimeout(look, Math.min(...live.map((each) => Number(each.dataset.live))) * 1000);
};
const look = async () => {
  if (looking) return;
  looking = true;
  const busy = document.activeElement?.closest("[data-live] details, [data-live] form");
  if (!busy) {
    try {
      const answer = await fetch(location.href, { cache: "no-store", redirect: "error", headers: { "X-Looks-Again": "1" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of [...live]) {
        const made = answer.ok && page.querySelector(`[data-part="${part.dataset.part}"]`);
        if (made && made.innerHTML !== part.innerHTML) part.replaceChildren(...made.childNodes);
        copies();
        folds();
        if (made && !made.dataset.live) live.splice(live.indexOf(part), 1);
      }
    } catch {
      // The page stays as it was, and looks again.
    }
  }
  looking = false;
  soon();
};
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(next) : live.length && look()));
soon();
