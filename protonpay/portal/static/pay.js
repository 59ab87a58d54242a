// The pay page stays true by itself. What is shown is always the server's own page, asked for
// again when a stream says that something is new: this script knows no state and no amount.
const AGAIN = 3000; // ms
const QUIET = 2; // streams that fail before it is said that nothing can be checked
const live = () => document.querySelector("[data-version]");
const first = live();
let stream, timer, failed = 0, shown = first?.dataset.version;

function trouble(is) {
  document.querySelector(".down").hidden = !is;
}

async function look() {
  let wait = AGAIN;
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-version]");
    if (next.dataset.version !== shown) {
      // The element with role=status stays, so that its new words are said.
      for (const part of ["tone", "asked", "stands", "rest"]) {
        const [old, made] = [document, page].map((from) => from.querySelector(`[data-part=${part}]`));
        old.className = made.className;
        if (part !== "tone") old.replaceChildren(...made.childNodes);
      }
      document.title = page.title;
      shown = next.dataset.version;
      wait = 0;
      first.dataset.live = next.dataset.live;
      copies();
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
  stream = new EventSource(`${location.pathname}/events`);
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

function copies() {
  const { copy, copied } = first.dataset;
  for (const code of document.querySelectorAll(".place .pick")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = copy;
    button.setAttribute("aria-label", `${copy}: ${code.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = copied;
      document.querySelector(".told").textContent = copied;
    });
    code.parentElement.append(" ", button);
  }
}

if (first) {
  copies();
  listen();
  document.addEventListener("visibilitychange", () => (document.hidden ? listen() : look()));
}
