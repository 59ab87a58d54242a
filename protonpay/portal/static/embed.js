// For a seller's site: <script src="https://…/js/protonpay.js"></script>, then
// protonpay.open(payUrl, ({ invoiceId, status }) => …). The page comes in a dialog over theirs; it is
// framed only on the invoice's embedOrigin. What is told here is for the eyes of the payer: goods
// go out on the webhook invoice.paid, or by GET /client/invoices/{id}.
window.protonpay = {
  open(payUrl, heard = () => {}) {
    const home = new URL(payUrl).origin;
    const [dialog, bar, frame, close, apart] = ["dialog", "p", "iframe", "button", "a"].map((tag) => document.createElement(tag));
    dialog.setAttribute("aria-label", "Proton Pay");
    Object.assign(dialog.style, { padding: 0, border: 0, borderRadius: "1rem", overflow: "hidden", width: "min(30rem, 100vw - 1rem)", maxWidth: "none", background: "#fff", color: "#16181d", boxShadow: "0 1rem 3rem rgb(0 0 0 / .35)" });
    Object.assign(bar.style, { display: "flex", alignItems: "center", justifyContent: "space-between", margin: 0, padding: ".25rem .25rem .25rem 1rem", font: "14px system-ui, sans-serif", colorScheme: "light" });
    Object.assign(frame.style, { border: 0, width: "100%", height: "min(46rem, 100vh - 6rem)", display: "block" });
    Object.assign(close.style, { width: "44px", height: "44px", border: 0, background: "none", color: "inherit", font: "24px system-ui, sans-serif", cursor: "pointer" });
    frame.title = "Proton Pay";
    frame.src = payUrl;
    frame.allow = "clipboard-write";
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Close · Закрыть");
    // Also the way out where a browser or a site's own policy lets no frame in.
    Object.assign(apart, { href: payUrl, target: "_blank", rel: "noopener", textContent: "Open in a window · Открыть отдельно" });
    apart.style.color = "inherit";
    bar.append(apart, close);
    // A modal dialog keeps the rest of the page out of reach, but not the browser's own bars: these send
    // the focus round, from the frame's end to the first button and from that back into the frame.
    const [start, end] = [frame, apart].map((to) => {
      const guard = document.createElement("span");
      guard.tabIndex = 0;
      guard.addEventListener("focus", () => to.focus());
      return guard;
    });
    dialog.append(start, bar, frame, end);
    const listen = ({ origin, source, data }) => {
      if (origin !== home || source !== frame.contentWindow) return;
      // Esc that is pressed inside the frame is the frame's: it says so.
      if (data?.closes === true) dialog.close();
      else if (typeof data?.status === "string") heard(data);
    };
    window.addEventListener("message", listen);
    close.addEventListener("click", () => dialog.close());
    // Esc closes a modal dialog, and its focus goes back to where it was: the browser sees to it.
    dialog.addEventListener("close", () => {
      window.removeEventListener("message", listen);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
    return dialog;
  },
};
