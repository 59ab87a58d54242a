// A form is let go only while its session stands, and for the account that its page was made for. If the
// session has ended, the reader signs in again over the page: nothing was sent, what was typed stays.
import { signs } from "./passkeys.js";

const main = document.getElementById("main");
const dialog = document.getElementById("again");
const place = dialog?.querySelector("[data-place]");
let asked, lets; // the form that waits, and the one that may go

// What the server says of the session: nothing if it has ended.
async function session() {
  const answer = await fetch("/app/session", { cache: "no-store", redirect: "manual" });
  if (answer.type === "opaqueredirect") return null;
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

function fits({ csrfToken, whose }) {
  if (whose !== main.dataset.whose) return false;
  document.querySelectorAll("input[name=csrf_token]").forEach((each) => (each.value = csrfToken));
  return true;
}

function says(text, tone) {
  dialog.close();
  document.querySelectorAll(".again-said").forEach((each) => each.remove());
  const said = Object.assign(document.createElement("p"), { className: `again-said notice ${tone}`, textContent: text });
  said.setAttribute("role", "status");
  asked.form.before(said);
  (asked.button ?? asked.form.querySelector("button")).focus();
}

// One step of signing in, from its own page; ids of its fields may be taken on this one.
async function shows(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = [...page.querySelectorAll("#main .notice[role=alert], #main form")];
  for (const part of parts) {
    for (const named of part.querySelectorAll("[id]")) {
      part.querySelectorAll(`[for="${named.id}"]`).forEach((each) => (each.htmlFor = `again-${named.id}`));
      part.querySelectorAll(`[aria-describedby="${named.id}"]`).forEach((each) => each.setAttribute("aria-describedby", `again-${named.id}`));
      named.id = `again-${named.id}`;
    }
  }
  place.replaceChildren(...parts);
  for (const form of place.querySelectorAll("form")) {
    if (form.dataset.passkey) signs(form);
    form.addEventListener("submit", (event) => (event.preventDefault(), steps(form)));
  }
  if (!dialog.open) dialog.showModal();
  place.querySelector("input:not([type=hidden])").focus();
}

async function steps(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
  if (answer.type !== "opaqueredirect") return shows(answer);
  const now = await session();
  if (!now) return shows(await fetch("/2fa"));
  if (!fits(now)) return location.assign("/app"); // somebody else's: nothing of before is theirs
  says(dialog.dataset.said, "good");
}

async function goes(form, button) {
  const now = await session().catch(() => ({ whose: main.dataset.whose }));
  asked = { form, button };
  if (!now) return shows(await fetch("/login"));
  if (now.csrfToken && !fits(now)) return says(dialog.dataset.another, "warn");
  lets = form;
  form.requestSubmit(button);
}

let busy = false;
document.addEventListener(
  "submit",
  async (event) => {
    const { target: form, submitter } = event;
    if (!dialog || form.method !== "post" || !form.getAttribute("action")?.startsWith("/app")) return;
    if (lets === form) return (lets = undefined);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (busy) return;
    busy = true;
    try {
      await goes(form, submitter);
    } finally {
      busy = false;
    }
  },
  true,
);
