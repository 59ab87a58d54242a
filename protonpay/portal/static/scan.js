// Reads the address of a QR code, by the camera or from a picture, where the browser itself can. It is put
// into the form as if it were typed: the server judges it, and the last step shows all of it.
const bar = document.getElementById("scan");
const { none, other, read, shut } = bar.dataset;
const networks = Object.entries(JSON.parse(bar.dataset.networks));
const camera = document.getElementById("camera");
const video = camera.querySelector("video");
const said = bar.querySelector("[role=status]");
const codes = (await window.BarcodeDetector?.getSupportedFormats().catch(() => [])) ?? [];

// An address alone, a request of Solana Pay, or a transfer of EIP-681: whom it pays, on which chain, which coin.
function asked(text) {
  const [path, query] = text.trim().split("?");
  const [, scheme, told] = path.match(/^(?:(\w+):)?(.*)$/);
  const more = new URLSearchParams(query);
  if (!scheme) return { address: told };
  if (scheme === "solana") return { address: told, chain: null, coin: more.get("spl-token") };
  const [, target, chain, call] = told.match(/^(?:pay-)?([^@/]+)(?:@(\d+))?(?:\/(\w+))?$/) ?? [];
  if (scheme !== "ethereum" || (call && call !== "transfer")) return {};
  const on = { chain: chain && Number(chain) };
  return call ? { ...on, address: more.get("address"), coin: target } : { ...on, address: target };
}

function take(text) {
  const { address, chain, coin } = asked(text);
  if (!/^\w{26,128}$/.test(address ?? "")) return (said.textContent = none);
  const [name, network] = networks.find(([, each]) => each.chain === chain) ?? [];
  const strange = chain !== undefined && (!name || (coin && coin.toLowerCase() !== network.usdc.toLowerCase()));
  if (strange) return (said.textContent = other);
  if (name) document.getElementById("network").value = name;
  const field = document.getElementById("walletAddress");
  field.value = address;
  field.dispatchEvent(new Event("input"));
  said.textContent = read;
}

async function film(detector) {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    camera.showModal();
    await video.play();
  } catch {
    camera.close();
    return (said.textContent = shut);
  }
  while (camera.open) {
    const [code] = await detector.detect(video).catch(() => []);
    if (code && camera.open) {
      camera.close();
      return take(code.rawValue);
    }
    await new Promise((later) => setTimeout(later, 150));
  }
}

if (codes.includes("qr_code")) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const [button, picture] = [bar.querySelector("button"), bar.querySelector("input")];
  bar.hidden = false;
  button.hidden = !navigator.mediaDevices;
  button.addEventListener("click", () => film(detector));
  camera.addEventListener("close", () => {
    video.srcObject?.getTracks().forEach((each) => each.stop());
    video.srcObject = null;
  });
  picture.addEventListener("change", async () => {
    if (!picture.files.length) return;
    try {
      const [code] = await detector.detect(await createImageBitmap(picture.files[0]));
      take(code.rawValue);
    } catch {
      said.textContent = none;
    }
    picture.value = "";
  });
}
