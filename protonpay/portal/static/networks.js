// Says which networks an address fits while it is typed. Which one is meant its reader alone chooses: what is
// sent on another one may be lost.
const LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function is32Bytes(text) {
  if (!text || text.length > 44 || [...text].some((each) => !LETTERS.includes(each))) return false;
  const number = [...text].reduce((sum, each) => sum * 58n + BigInt(LETTERS.indexOf(each)), 0n);
  const zeros = text.match(/^1*/)[0].length;
  return zeros + (number ? Math.ceil(number.toString(16).length / 2) : 0) === 32;
}

const WRITTEN = { evm: (text) => /^0x[0-9a-f]{40}$/i.test(text), solana: is32Bytes };

for (const said of document.querySelectorAll("[data-fits]")) {
  const address = document.getElementById(said.dataset.fits);
  const network = said.closest(".field").querySelector("select");
  const families = Object.entries(JSON.parse(said.dataset.families));
  const look = () => {
    const fit = families.filter(([, family]) => WRITTEN[family](address.value.trim())).map(([name]) => name);
    const open = fit.length && !fit.includes(network.value);
    said.textContent = open ? said.dataset.said.replace("{networks}", fit.join(", ")) : "";
  };
  address.addEventListener("input", look);
  network.addEventListener("change", look);
  look();
}
