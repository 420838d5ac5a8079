// An issue at the desk. Every form works without this: here its answer is taken into the
// page, so that the focus stays where it was and nothing jumps.
const page = () => document.getElementById("issue");
const status = document.querySelector(".said");
let busy = Promise.resolve();
// What was refused because the session had ended.
let again = null;
// The timer of what was typed and not saved yet; 0 where nothing waits.
let typing = 0;

// What somebody is at, to find it again in the page that comes.
function placeOf(element) {
  const story = element?.closest("[data-story]");
  return {
    id: element?.id,
    story: story?.dataset.story,
    act: element?.getAttribute("value"),
    name: element?.getAttribute("name"),
    open: [...document.querySelectorAll("details[open]")].map(keyOf),
  };
}

function keyOf(details) {
  const home = details.closest("[id]");
  return `${home?.id}/${[...home.querySelectorAll("details")].indexOf(details)}`;
}

function restore(place) {
  for (const details of document.querySelectorAll("details")) {
    if (place.open.includes(keyOf(details))) details.open = true;
  }
  const story = place.story && document.getElementById(`story-${place.story}`);
  const inside = place.name && (story || page()).querySelector(`[name="${place.name}"][value="${CSS.escape(place.act || "")}"]:not([disabled])`);
  const target = inside || story || document.getElementById(place.id || "issue");
  target?.focus({ preventScroll: false });
}

async function answer(response) {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function takeIn(fresh, place, keep = []) {
  const came = fresh.getElementById("issue");
  if (!came) {
    document.open();
    document.write(fresh.documentElement.outerHTML);
    document.close();
    return;
  }
  // What is being written stays under the hand that writes it.
  const typed = keep.map((id) => document.getElementById(id)).filter(Boolean)
    .map((field) => [field.id, field.value, field.selectionStart, field.selectionEnd]);
  const same = page().dataset.version === came.dataset.version;
  const frame = document.getElementById("mail-frame");
  const checks = document.getElementById("checks-panel");
  const old = frame.src;
  page().replaceWith(came);
  const newFrame = document.getElementById("mail-frame");
  if (same) {
    newFrame.replaceWith(frame);
    document.getElementById("checks-panel").replaceWith(checks);
  } else {
    newFrame.src = old.replace(/&v=\d+$/, `&v=${came.dataset.version}`);
    newFrame.className = frame.className;
    loadChecks();
  }
  for (const [id, value, start, end] of typed) {
    const field = document.getElementById(id);
    field.value = value;
    field.focus();
    field.setSelectionRange?.(start, end);
  }
  wire();
  if (!typed.length) restore(place);
  const problem = document.getElementById("problem");
  say("");
  const said = document.getElementById("told")?.querySelector("p")?.textContent || "";
  requestAnimationFrame(() => say(problem ? "" : said + placeIn(place)));
}

// For those who hear the page: what is done is seen below the headline already.
function say(words) {
  status.textContent = words;
  status.classList.add("unseen");
}

function placeIn(place) {
  const story = place.story && document.getElementById(`story-${place.story}`);
  if (!story) return "";
  const all = story.parentElement.children.length;
  return ` ${page().dataset.placed.replace("N", story.dataset.position).replace("ALL", all)}`;
}

async function post(address, data, leaving) {
  const response = await fetch(address, {
    method: "POST", body: data, headers: { Accept: "text/html" }, keepalive: leaving,
  });
  return [response, await answer(response)];
}

function send(form, submitter, extra = {}, keep = [], leaving = false) {
  const data = new URLSearchParams(new FormData(form, submitter));
  for (const [name, value] of Object.entries(extra)) data.set(name, value);
  const place = placeOf(extra.story ? document.getElementById(`story-${extra.story}`) : submitter || form);
  busy = busy.then(async () => {
    // An act begins from what is on the page when its turn comes.
    if (data.has("version")) data.set("version", page().dataset.version);
    let [response, came] = await post(form.action, data, leaving);
    const token = came.querySelector("#kept [name=csrf]")?.value;
    if (token) {
      // Signed in anew in another tab: this page goes on with that session.
      for (const field of document.querySelectorAll("[name=csrf]")) field.value = token;
      data.set("csrf", token);
      [response, came] = await post(form.action, data, leaving);
    }
    const out = !!came.getElementById("kept");
    document.getElementById("signed-out").hidden = !out;
    again = out ? () => send(form, submitter, extra, keep) : null;
    if (!out) takeIn(came, place, keep);
    return response.ok;
  }).catch(() => {
    say(page().dataset.failed);
    status.classList.remove("unseen");
    return false;
  });
  return busy;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-act]")) {
    event.preventDefault();
    if (form.matches("[data-autosave]")) settle();
    send(form, event.submitter);
  } else if (typing) {
    event.preventDefault();
    // Saving brings the page anew, with the same form in it.
    const same = `form[action="${form.getAttribute("action")}"]`;
    saveTyped().then((saved) => { if (saved) document.querySelector(same)?.requestSubmit(); });
  }
});

// Lines save themselves a moment after the last letter.
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-autosave]");
  if (!form) return;
  show(event.target);
  settle();
  typing = setTimeout(() => {
    const field = document.activeElement;
    if (!document.getElementById("problem")) saveTyped(field?.id ? [field.id] : []);
  }, 1200);
});

function settle() {
  clearTimeout(typing);
  typing = 0;
}

function saveTyped(keep = [], leaving = false) {
  settle();
  const form = document.querySelector("[data-autosave]");
  return send(form, form.querySelector("button"), {}, keep, leaving);
}

// Whoever leaves the page takes nothing unsaved along.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href]:not([href^="#"], [data-view], [target])');
  if (!typing || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  saveTyped().then((saved) => { if (saved) location.assign(link.href); });
});

// Back from the tab where somebody signed in anew.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) again?.();
});

addEventListener("beforeunload", () => { if (typing) saveTyped([], true); });

function show(field) {
  const mirror = document.querySelector(`[data-mirror="${field.name}"]`);
  if (mirror) mirror.textContent = field.value;
  const count = document.querySelector(`[data-count="${field.name}"]`);
  if (!count) return;
  const length = [...field.value].length;
  count.textContent = count.textContent.replace(/\d+/, length);
  count.toggleAttribute("data-beyond", length > count.dataset.most || length < count.dataset.least);
}

function press(story, act) {
  const button = story.querySelector(`button[name=act][value=${act}]`);
  if (button && !button.disabled) send(button.form, button);
}

document.addEventListener("keydown", (event) => {
  const writes = event.target.matches("input, textarea, select");
  const story = event.target.closest?.("[data-story]");
  if (story && event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    press(story, event.key === "ArrowUp" ? "up" : "down");
  } else if (!writes && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    const button = document.querySelector(`#told button[value=${event.shiftKey ? "redo" : "undo"}]`);
    if (button) {
      event.preventDefault();
      send(button.form, button);
    }
  } else if (event.altKey && event.key === "?") {
    event.preventDefault();
    document.getElementById("keys").showModal();
  } else if (event.target.closest?.("[data-views]") && /^[1-8]$/.test(event.key)) {
    const tab = event.target.closest("[data-views]").querySelectorAll("a")[event.key - 1];
    tab?.focus();
    tab?.click();
  }
});

// The views change in the page; their addresses lead to the same.
document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("[data-view]");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const frame = document.getElementById("mail-frame");
  for (const other of tab.parentElement.children) other.removeAttribute("aria-current");
  tab.setAttribute("aria-current", "page");
  frame.className = `mail mail-${tab.dataset.view}`;
  frame.src = frame.src.replace(/view=[a-z-]+/, `view=${tab.dataset.view}`);
  document.getElementById("approximate").hidden = tab.dataset.view !== "inverted";
  history.replaceState(null, "", tab.href);
});

async function loadChecks() {
  const panel = document.getElementById("checks-panel");
  if (!panel?.dataset.load) return;
  const response = await fetch(panel.dataset.load).catch(() => null);
  if (!response?.ok) return;
  const came = (await answer(response)).getElementById("checks-panel");
  const now = document.getElementById("checks-panel");
  if (came && now) {
    came.dataset.load = now.dataset.load;
    now.replaceWith(came);
  }
}

function wire() {
  for (const story of document.querySelectorAll(".story")) {
    const handle = story.querySelector(".thumb");
    if (!story.querySelector("form")) continue;
    handle.draggable = true;
    handle.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/plain", story.dataset.story);
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(story, 20, 20);
      story.toggleAttribute("data-dragged", true);
    });
    handle.addEventListener("dragend", () => story.removeAttribute("data-dragged"));
    story.addEventListener("dragover", (event) => {
      event.preventDefault();
      story.toggleAttribute("data-over", true);
    });
    story.addEventListener("dragleave", () => story.removeAttribute("data-over"));
    story.addEventListener("drop", (event) => {
      event.preventDefault();
      story.removeAttribute("data-over");
      const moved = event.dataTransfer.getData("text/plain");
      const home = document.getElementById(`story-${moved}`);
      if (!home || moved === story.dataset.story) return;
      send(home.querySelector("form"), null, {
        act: "move", story: moved, to: story.dataset.section, position: story.dataset.position,
      });
    });
  }
}

wire();
loadChecks();
