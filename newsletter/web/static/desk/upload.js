// Keeps the page of a file up to date while it is read; without this one looks again.
const shown = document.getElementById("state");
document.getElementById("again").hidden = true;
shown.setAttribute("aria-live", "polite");

async function look() {
  try {
    const answer = await fetch(shown.dataset.state);
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      shown.replaceChildren(...page.body.childNodes);
    }
  } catch {
    // The service may be starting again: the next look finds it.
  }
  if (shown.querySelector("[data-waits]")) setTimeout(look, 1500);
}
setTimeout(look, 1000);
