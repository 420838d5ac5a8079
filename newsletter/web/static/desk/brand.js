// The brand's form made live: colours are picked where they are shown, and the mails beside
// follow what is typed. Without it the button does the same.

const form = document.getElementById("brand");
const looks = ["light", "dark"].map((view) => document.getElementById(`look-${view}`));
const hex = /^#[0-9a-f]{6}$/i;
let waiting = 0;

function show() {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (name !== "csrf" && name !== "version") asked.set(name, value);
  }
  for (const frame of looks) {
    const address = `${frame.src.split("?")[0]}?${asked}`;
    // In place of the frame's last page, so that "back" leaves this one.
    if (frame.src !== address) frame.contentWindow.location.replace(address);
  }
}

for (const swatch of form.querySelectorAll("input[type=color][data-for]")) {
  const text = document.getElementById(swatch.dataset.for);
  swatch.disabled = false;
  swatch.addEventListener("input", () => {
    text.value = swatch.value;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  text.addEventListener("input", () => {
    swatch.classList.toggle("unset", !hex.test(text.value));
    if (hex.test(text.value)) swatch.value = text.value;
  });
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 400);
});
