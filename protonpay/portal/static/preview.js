// The preview beside a form follows what is typed: the page that "Preview" would lead to, its part
// put in place. Nothing is made of it, and without this script the button does the same.
const form = document.querySelector("form[data-previews]");
const button = form.querySelector("button[name=preview]");
let wait, asked = 0;
const look = async () => {
  const mine = (asked += 1);
  const body = new URLSearchParams([...new FormData(form), [button.name, button.value]]);
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const made = answer.ok && page.querySelector("[data-part=preview]");
    if (made && mine === asked) document.querySelector("[data-part=preview]").replaceChildren(...made.childNodes);
  } catch {
    // It stays as it was, and so does the button.
  }
};
form.addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(look, 400);
});
