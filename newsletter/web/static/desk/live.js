// Parts of a page that change by themselves: fetched anew and put in their place. Without
// this each has a link that does the same.
const status = document.querySelector(".said");
let told = "";

// What came is seen; what does not come is told to all.
function tell(text, failed) {
  if (text) status.classList.toggle("unseen", !failed);
  if (text && text !== told) status.textContent = text;
  told = text;
}

// What somebody is at in the part stays: typing, an open fold, the focus.
function isInUse(part) {
  const at = document.activeElement;
  return part.contains(at) && at.matches("input, textarea, select") ||
    [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
}

async function refresh(part) {
  let wait = Number(part.dataset.every || 0);
  try {
    const response = await fetch(part.dataset.refresh, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!part.isConnected) return;
    const came = page.getElementById(part.id);
    if (response.redirected && !came) {
      // Signed out: whoever writes something here is asked once they send it.
      return isInUse(document) ? undefined : location.assign(response.url);
    }
    if (!came) throw new Error(response.status);
    if (isInUse(part)) return later(part, wait || 5);
    const focus = part.contains(document.activeElement) && document.activeElement.id;
    const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
    part.replaceWith(came);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focus) document.getElementById(focus)?.focus();
    tell(came.dataset.told || "");
    wire(came.parentElement);
  } catch {
    // The service is being started again, or the way to it is gone: it comes back.
    tell(part.dataset.failed || "", true);
    later(part, Math.min(60, (wait || 2) * 2));
  }
}

function later(part, seconds) {
  setTimeout(() => {
    if (document.hidden) {
      document.addEventListener("visibilitychange", () => refresh(part), { once: true });
    } else if (part.isConnected) refresh(part);
  }, seconds * 1000);
}

function countDown(place) {
  const end = performance.now() + Number(place.dataset.left) * 1000;
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    place.textContent = left;
    if (left && place.isConnected) return;
    clearInterval(tick);
    if (place.isConnected) setTimeout(() => location.reload(), 1500);
  }, 250);
}

export function wire(root) {
  for (const part of root.querySelectorAll("[data-refresh]")) {
    if (part.wired) continue;
    part.wired = true;
    if (part.dataset.every) later(part, Number(part.dataset.every));
    else refresh(part);
  }
  for (const place of root.querySelectorAll("[data-left]")) {
    if (!place.wired) countDown(place);
    place.wired = true;
  }
}

wire(document);
