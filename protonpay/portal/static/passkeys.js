// What only the browser can do: ask this device, or one that is plugged in, to sign. The answer goes
// into the page's own form; what is asked for and what is proved by it is the server's business.
const can = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function options(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/auth/passkey/options", { method: "POST", headers, body: "{}" });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).options;
}

async function sign(form) {
  const { challengeId, publicKey } = await options(form);
  const asked =
    form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  const { id, rawId, type, response } = (await asked).toJSON();
  form.elements.signed.value = JSON.stringify({ challengeId, credential: { id, rawId, type, response } });
}

export function signs(form) {
  if (!form || !can) return;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.signed.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    try {
      await sign(form);
      form.requestSubmit();
    } catch {
      document.querySelector(".told").textContent = form.dataset.failed;
      form.querySelectorAll("button").forEach((each) => (each.disabled = false));
    }
  });
}
signs(document.querySelector("form[data-passkey]"));
