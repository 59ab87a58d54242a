// For a seller's site: <script src="https://…/js/protonpay.js"></script>, then
// protonpay.open(payUrl, ({ invoiceId, status }) => …). The page comes in a dialog over theirs; it is
// framed only on the invoice's embedOrigin. What is told here is for the eyes of the payer: goods
// go out on the webhook invoice.paid, or by GET /client/invoices/{id}.
window.protonpay = {
  open(payUrl, heard = () => {}) {
    const home = new URL(payUrl).origin;
    const dialog = document.createElement("dialog");
    const frame = document.createElement("iframe");
    const close = document.createElement("button");
    dialog.setAttribute("aria-label", "Proton Pay");
    frame.title = "Proton Pay";
    frame.src = payUrl;
    frame.allow = "clipboard-write";
    Object.assign(frame.style, { border: 0, width: "min(28rem, 92vw)", height: "80vh", display: "block" });
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Close · Закрыть");
    dialog.append(close, frame);
    const listen = ({ origin, source, data }) => {
      if (origin === home && source === frame.contentWindow && typeof data?.status === "string") heard(data);
    };
    window.addEventListener("message", listen);
    close.addEventListener("click", () => dialog.close());
    // Esc closes a modal dialog, and its focus stays inside and goes back: the browser sees to it.
    dialog.addEventListener("close", () => {
      window.removeEventListener("message", listen);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  },
};
