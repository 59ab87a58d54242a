// The pay page stays true by itself. What is shown is always the server's own page, asked for
// again when a stream says that something is new: this script knows no state and no amount.
import { copies } from "./parts.js";

const AGAIN = 3000; // ms
const QUIET = 2; // streams that fail before it is said that nothing can be checked
const live = () => document.querySelector("[data-version]");
const first = live();
const home = `/pay/${first?.dataset.invoice}`; // also where a form has been answered
let stream, timer, failed = 0, shown = first?.dataset.version;

function trouble(is) {
  document.querySelector(".down").hidden = !is;
}

// Moments are told in the payer's own zone, which is named; as UTC where one points, and on paper.
let written; // made when it is needed: it takes a slow machine longer than all else here
function local() {
  for (const moment of document.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(moment.dateTime), east = -at.getTimezoneOffset();
    if (!east) continue;
    written ??= new Intl.DateTimeFormat(document.documentElement.lang === "ru" ? "ru" : "en-GB", {
      ...{ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
    });
    const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60];
    moment.title = moment.textContent;
    moment.textContent = `${written.format(at)} UTC${east < 0 ? "−" : "+"}${hours}${minutes ? `:${minutes}` : ""}`;
  }
}

async function look() {
  let wait = AGAIN;
  try {
    const answer = await fetch(home + location.search, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Another tab has chosen another language: no page is in two.
    if (page.documentElement.lang !== document.documentElement.lang) return location.reload();
    const next = page.querySelector("[data-version]");
    if (next.dataset.version !== shown) {
      // The element with role=status stays, so that its new words are said. Where only confirmations
      // are more, nothing else is touched: nobody hears the headline again.
      const [before, now] = [shown, next.dataset.version].map((one) => one.split(".")[0]);
      for (const part of before === now ? ["far"] : ["tone", "asked", "stands", "far", "back", "rest"]) {
        const [old, made] = [document, page].map((from) => from.querySelector(`[data-part=${part}]`));
        old.className = made.className;
        if (part !== "tone") old.replaceChildren(...made.childNodes);
      }
      document.title = page.title;
      shown = next.dataset.version;
      wait = 0;
      first.dataset.live = next.dataset.live;
      first.dataset.status = next.dataset.status;
      tell();
      leave();
      copies();
      local();
    }
    failed = 0;
    trouble(false);
  } catch {
    failed += 1;
    trouble(failed >= QUIET);
  }
  stream?.close();
  clearTimeout(timer);
  timer = setTimeout(listen, wait);
}

// A stream says how things stand and ends: the browser comes again after the seconds it names, and
// nobody's thread waits on the server meanwhile. One that is refused is polled for.
function listen() {
  stream?.close();
  clearTimeout(timer);
  if (!Number(first.dataset.live) || document.hidden) return;
  stream = new EventSource(`${home}/events`);
  let heard = false;
  stream.addEventListener("standing", (said) => {
    heard = true;
    failed = 0;
    trouble(false);
    if (said.data !== shown) {
      stream.close();
      look();
    }
  });
  stream.addEventListener("error", () => {
    if (!heard) trouble((failed += 1) >= QUIET);
    heard = false;
    if (stream.readyState === EventSource.CLOSED) {
      clearTimeout(timer);
      timer = setTimeout(look, failed > QUIET ? 30000 : 5000);
    }
  });
}

// The way that was chosen is in the address: a page that is shared, renewed or reloaded has it, too.
function choose({ target }) {
  if (target.name !== "by") return;
  const chosen = new URL(location.href);
  chosen.searchParams.set("network", target.value);
  history.replaceState(null, "", chosen.pathname + chosen.search);
  for (const link of document.querySelectorAll(".langs a")) {
    const other = new URL(link.href);
    other.searchParams.set("network", target.value);
    link.href = other.search;
  }
}

// The clock that is shown runs here; what follows from its end is asked of the server.
let warned = Infinity, ended = false;
const CALLS = [300, 60]; // seconds before the end
function tick() {
  const clock = document.querySelector(".left[data-until]");
  if (!clock) return;
  const left = Math.max(0, Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 1000));
  if (left < 86400) {
    const [h, m, s] = [left / 3600, (left / 60) % 60, left % 60].map((n) => String(Math.floor(n)).padStart(2, "0"));
    clock.textContent = `(${h === "00" ? "" : `${h}:`}${m}:${s})`;
  }
  CALLS.forEach((at, turn) => {
    if (left > at || warned <= at) return;
    warned = at;
    if (left > (CALLS[turn + 1] ?? 0)) document.querySelector(".told").textContent = first.dataset.left.split("|")[turn];
  });
  if (!left && !ended) {
    ended = true;
    look();
  }
}

// Who frames this page is told how it stands: the one origin that may, and nobody else.
function tell(more = { status: first.dataset.status }) {
  const { invoice, origin } = first.dataset;
  if (origin && window.parent !== window) window.parent.postMessage({ invoiceId: invoice, ...more }, origin);
}

// Back to the seller: said, counted, and stopped by a button. A frame's page is left by who frames it.
let stays = false;
function leave() {
  const said = document.querySelector("[data-said][hidden]");
  if (!said || stays || window.parent !== window) return;
  let left = 5;
  const stay = document.querySelector("[data-stays]");
  const count = () => {
    said.textContent = said.dataset.said.replace("#", left);
    if (left-- <= 0) {
      clearInterval(turns);
      location.assign(document.querySelector(".back a").href);
    }
  };
  said.hidden = stay.hidden = false;
  const turns = setInterval(count, 1000);
  count();
  stay.addEventListener("click", () => {
    stays = true;
    clearInterval(turns);
    said.hidden = stay.hidden = true;
  });
}

local();
for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

if (first) {
  document.addEventListener("change", choose);
  tick();
  tell();
  setInterval(tick, 1000);
  listen();
  document.addEventListener("keydown", ({ key }) => key === "Escape" && tell({ closes: true }));
  document.addEventListener("visibilitychange", () => (document.hidden ? listen() : look()));
}
