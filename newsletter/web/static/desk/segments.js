// Counts what a filter names while it is typed; without this the button does.
const form = document.querySelector("[data-count]");
const field = form.querySelector("textarea");
const shown = document.getElementById("count");
let waiting, running, last = field.value.trim();

async function count() {
  const filter = field.value.trim();
  if (filter === last) return;
  last = filter;
  running?.abort();
  running = new AbortController();
  shown.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`${form.dataset.count}?${new URLSearchParams({ filter })}`, { signal: running.signal });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    shown.replaceChildren(...page.body.childNodes);
    field.toggleAttribute("aria-invalid", !!shown.querySelector(".problem"));
    if (shown.querySelector(".problem")) field.setAttribute("aria-invalid", "true");
  } catch {
    last = undefined; // asked again at the next letter
  } finally {
    shown.removeAttribute("aria-busy");
    wait();
  }
}

// What is being counted is asked for again.
function wait() {
  if (!shown.querySelector(".awaited")) return;
  last = undefined;
  clearTimeout(waiting);
  waiting = setTimeout(count, 1000);
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(count, 400);
});
wait();
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
