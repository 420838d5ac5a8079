import { wire as wireParts } from "./live.js";

// An issue at the desk. Every form works without this: here its answer is taken into the
// page, and what is being written and the focus stay.
const byId = (id) => id && document.getElementById(id);
const find = (selector) => document.querySelector(selector);
const texts = () => find("[data-autosave]");
const page = () => byId("issue");
const status = find(".said");
let busy = Promise.resolve();
// What was refused because the session had ended.
let again = null;
// The timer of what was typed and not saved yet; 0 where nothing waits.
let typing = 0;

// What somebody is at, to find it again in the page that comes.
function placeOf(element) {
  const story = element?.closest("[data-story]");
  const next = story?.nextElementSibling || story?.previousElementSibling;
  return {
    id: element?.id,
    story: story?.id,
    next: next?.id || story?.closest("[data-section]").id,
    act: element?.getAttribute("value"),
    name: element?.getAttribute("name"),
    range: element?.selectionStart != null && [element.selectionStart, element.selectionEnd],
  };
}

function keyOf(details) {
  const home = details.closest("[id]");
  return `${home?.id}/${[...home.querySelectorAll("details")].indexOf(details)}`;
}

function restore(place) {
  const story = byId(place.story);
  const same = `[name="${place.name}"][value="${CSS.escape(place.act || "")}"]:not([disabled])`;
  const inside = place.name && (place.story ? story : page())?.querySelector(same);
  const told = byId("told")?.textContent.trim() && byId("told");
  const target = byId(place.id) || inside || story || byId(place.next) || told || page();
  target.focus();
  if (place.range) target.setSelectionRange?.(...place.range);
}

// What a field was filled with.
function filled(field) {
  if (field.type === "radio") return field.defaultChecked;
  if (!field.options) return field.defaultValue;
  return ([...field.options].find((one) => one.defaultSelected) || field.options[0])?.value;
}

const written = (field) => (field.type === "radio" ? field.checked : field.value);

// What was typed and is not saved goes on in the page that comes, and with it what its field
// was filled from, unless the answer has judged that.
function unsaved(form, data, ok) {
  const fields = [...page().querySelectorAll("input[id], textarea[id], select[id]")];
  const typed = fields.filter((field) => field.form && written(field) !== filled(field));
  return typed.map((field) => {
    const sent = field.form === form && data.get(field.name);
    const judged = typeof sent === "string" && sent !== filled(field);
    const { version, [`was-${field.name}`]: was } = field.form.elements;
    const saved = ok && judged && sent === field.value.replace(/\r?\n/g, "\n");
    const { clash } = field.form.dataset;
    return { field, judged, saved, clash, was: was?.value, version: version?.value };
  }).filter((one) => !one.saved);
}

function writeAgain({ field, judged, clash, was, version }) {
  const now = byId(field.id);
  if (!now?.form) return;
  if (field.type === "radio") now.checked = field.checked;
  else now.value = field.value;
  if (!judged) {
    const from = now.form.elements;
    if (clash) now.form.dataset.clash = clash;
    if (was) from[`was-${field.name}`].value = was;
    if (version) from.version.value = Math.min(version, from.version.value);
  }
  show(now);
}

async function answer(response) {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function takeIn(fresh, form, data, ok, place) {
  const came = fresh.getElementById("issue");
  if (!came) {
    document.open();
    document.write(fresh.documentElement.outerHTML);
    document.close();
    return;
  }
  // Whoever went on elsewhere meanwhile stays there.
  const at = document.activeElement;
  if (page().contains(at)) place = placeOf(at);
  const moves = page().contains(at) || at === document.body;
  const kept = unsaved(form, data, ok);
  const open = [...document.querySelectorAll("details[open]")].map(keyOf);
  const same = page().dataset.version === came.dataset.version;
  const frame = byId("mail-frame");
  const checks = byId("checks-panel");
  page().replaceWith(came);
  const newFrame = byId("mail-frame");
  if (newFrame && same) {
    newFrame.replaceWith(frame);
    byId("checks-panel").replaceWith(checks);
  } else if (newFrame && frame) {
    newFrame.src = frame.src.replace(/&v=\d+$/, `&v=${came.dataset.version}`);
    newFrame.className = frame.className;
    wireParts(came);
  }
  for (const one of document.querySelectorAll("details")) one.open ||= open.includes(keyOf(one));
  kept.forEach(writeAgain);
  if (find("[data-clash]")) settle();
  wire();
  if (moves) restore(place);
  const problem = byId("problem");
  say("");
  const said = byId("told")?.querySelector("p")?.textContent || "";
  requestAnimationFrame(() => say(problem ? "" : said + placeIn(place)));
}

// For those who hear the page: what is done is seen below the headline already.
function say(words, seen = false) {
  status.textContent = words;
  status.classList.toggle("unseen", !seen);
  status.classList.toggle("stays", seen);
}

function placeIn(place) {
  const story = byId(place.story);
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

function dataOf(form, submitter) {
  const data = new URLSearchParams(new FormData(form, submitter));
  if (form.matches("[data-stay]")) data.set("stay", "1");
  return data;
}

function send(form, submitter, extra = {}) {
  const saves = form.matches("[data-autosave]");
  // What was typed comes before what was pressed after it.
  const first = typing && !saves && saveTyped();
  const data = dataOf(form, submitter);
  for (const [name, value] of Object.entries(extra)) data.set(name, value);
  const place = placeOf(byId(extra.story && `story-${extra.story}`) || submitter || form);
  busy = busy.then(async () => {
    if (first && !(await first)) return false;
    // An act begins from the page as it is now, a text from what its field was filled with.
    const now = byId(form.id) || form;
    if (data.has("version")) {
      data.set("version", form.id ? now.elements.version.value : page().dataset.version);
    }
    return take(now, saves && now !== form ? dataOf(now, now.querySelector("button")) : data, place);
  }).catch((error) => {
    reportError(error);
    return false;
  });
  return busy;
}

async function take(form, data, place) {
  let response, came;
  try {
    [response, came] = await post(form.action, data);
    const token = came.querySelector("#kept [name=csrf]")?.value;
    if (token) {
      // Signed in anew in another tab: this page goes on with that session.
      for (const field of document.querySelectorAll("[name=csrf]")) field.value = token;
      data.set("csrf", token);
      [response, came] = await post(form.action, data);
    }
  } catch {
    say(page().dataset.failed, true);
    if (form.matches("[data-autosave]")) wait(10_000);
    return false;
  }
  const out = !!came.getElementById("kept");
  byId("signed-out").hidden = !out;
  again = out ? () => take(form, data, place) : null;
  if (!out) takeIn(came, form, data, response.ok, place);
  return response.ok;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-autosave]")) settle();
  if (form.matches("[data-act]")) {
    event.preventDefault();
    send(form, event.submitter);
  } else if (typing) {
    event.preventDefault();
    // Saving brings the page anew, with the same form in it.
    const same = form.id ? `#${form.id}` : `form[action="${form.getAttribute("action")}"]`;
    const pressed = `button[value="${event.submitter?.value}"]`;
    saveTyped().then((saved) => {
      const now = saved && find(same);
      if (now) now.requestSubmit(now.querySelector(pressed));
    });
  } else delete form.dataset.clash;
});

// Texts save themselves a moment after the last letter; what two have written waits.
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-autosave]");
  if (!form) return;
  show(event.target);
  if (!form.dataset.clash) wait(1_200);
});

function wait(ms) {
  settle();
  typing = setTimeout(saveTyped, ms);
}

function settle() {
  clearTimeout(typing);
  typing = 0;
}

function saveTyped() {
  settle();
  const form = texts();
  return send(form, form.querySelector("button"));
}

// Whoever leaves the page takes nothing unsaved along.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href]:not([href^="#"], [data-view], [target])');
  if (!typing || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  saveTyped().then((saved) => { if (saved) location.assign(link.href); });
});

document.addEventListener("visibilitychange", () => {
  // Back from the tab where somebody signed in anew, or gone to another.
  if (!document.hidden) again?.();
  else if (typing) saveTyped();
});

// No time is left to wait for another save.
for (const kind of ["beforeunload", "pagehide"]) {
  addEventListener(kind, (event) => {
    if (find("[data-clash]")) event.preventDefault();
    const form = typing && texts();
    settle();
    if (form) post(form.action, dataOf(form, form.querySelector("button")), true).catch(() => {});
  });
}

function show(field) {
  const mirror = find(`[data-mirror="${field.name}"]`);
  if (mirror) mirror.textContent = field.value;
  const count = find(`[data-count="${field.name}"]`);
  if (!count) return;
  const length = [...field.value].length;
  count.textContent = count.textContent.replace(/\d+/, length);
  count.toggleAttribute("data-beyond", length > count.dataset.most || length < count.dataset.least);
}

function press(story, act) {
  const button = story.querySelector(`button[value^=${act}]`);
  if (button && !button.disabled) send(button.form, button);
}

document.addEventListener("keydown", (event) => {
  const writes = event.target.matches("input, textarea, select");
  const story = event.target.closest?.("[data-story]");
  if (story && event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    press(story, event.key === "ArrowUp" ? "up" : "down");
  } else if (!writes && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    const button = find(`#told button[value=${event.shiftKey ? "redo" : "undo"}]`);
    if (button) {
      event.preventDefault();
      send(button.form, button);
    }
  } else if (event.altKey && event.key === "?") {
    event.preventDefault();
    byId("keys").showModal();
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
  const frame = byId("mail-frame");
  for (const other of tab.parentElement.children) other.removeAttribute("aria-current");
  tab.setAttribute("aria-current", "page");
  frame.className = `mail mail-${tab.dataset.view}`;
  frame.src = frame.src.replace(/view=[a-z-]+/, `view=${tab.dataset.view}`);
  byId("approximate").hidden = tab.dataset.view !== "inverted";
  history.replaceState(null, "", tab.href);
});

// Stories are dragged by their pictures.
function wire() {
  for (const thumb of document.querySelectorAll("form .thumb, .thumb:has(~ form)")) {
    thumb.draggable = true;
  }
}

const drag = {
  dragstart(story, event) {
    if (!event.target.draggable || !event.target.matches(".thumb")) return;
    event.dataTransfer.setData("text/plain", story.dataset.story);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(story, 20, 20);
    story.toggleAttribute("data-dragged", true);
  },
  dragend: (story) => story.removeAttribute("data-dragged"),
  dragover(story, event) {
    event.preventDefault();
    story.toggleAttribute("data-over", true);
  },
  dragleave: (story) => story.removeAttribute("data-over"),
  drop(story, event) {
    event.preventDefault();
    story.removeAttribute("data-over");
    const moved = event.dataTransfer.getData("text/plain");
    const form = byId(`story-${moved}`)?.querySelector("button")?.form;
    const { story: here, position } = story.dataset;
    const to = story.closest("section").dataset.section;
    if (form && moved !== here) send(form, null, { act: "move", story: moved, to, position });
  },
};

for (const [kind, does] of Object.entries(drag)) {
  document.addEventListener(kind, (event) => {
    const story = event.target.closest?.(".story");
    if (story) does(story, event);
  });
}

wire();
