// <newsletter-signup newsletter="weekly" placement="article">: what stands inside is
// shown until the words have come, and stays where they do not.
const root = document.currentScript.src.replace(/embed\.js.*/, "api/v1/");
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; font-family: var(--newsletter-font, inherit); --a: var(--newsletter-accent, var(--paper-accent)); }
form, p { margin: 0; }
label { display: block; margin-bottom: 8px; font-weight: bold; font-size: 1.2em; line-height: 1.3; }
.line, .offer { display: flex; flex-wrap: wrap; gap: 8px; }
.offer { margin-top: 8px; }
input, button { box-sizing: border-box; min-height: 44px; margin: 0; border: 1px solid var(--newsletter-line, currentColor); border-radius: var(--newsletter-radius, 0); font: inherit; color: inherit; background: var(--newsletter-field, transparent); }
input { flex: 1 1 14em; min-width: 0; padding: 0 12px; }
input[aria-invalid] { border: 2px solid var(--a); }
button { padding: 0 20px; border-color: var(--a); background: var(--a); color: var(--newsletter-on-accent, var(--paper-on-accent)); font-family: var(--newsletter-small-font, system-ui, sans-serif); font-weight: bold; cursor: pointer; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
.small { margin-top: 8px; font: .8em/1.5 var(--newsletter-small-font, system-ui, sans-serif); overflow-wrap: anywhere; }
.problem { padding-inline-start: 8px; border-inline-start: 4px solid var(--a); font-weight: bold; }
.small:empty { display: none; }
.done:focus { outline: 0; }
`);

function make(tag, part, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.part = part;
  element.append(...children);
  return element;
}

class NewsletterSignup extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    this.newsletter = this.getAttribute("newsletter");
    this.placement = this.getAttribute("placement") || "";
    const shadow = this.attachShadow({ mode: "open", delegatesFocus: true });
    shadow.append(document.createElement("slot"));
    const lang = this.closest("[lang]")?.lang || "";
    const asked = new URLSearchParams({ placement: this.placement, language: lang });
    const answer = await fetch(`${root}newsletters/${encodeURIComponent(this.newsletter)}/form?${asked}`).catch(() => 0);
    if (answer.ok) this.show(shadow, await answer.json());
  }

  show(shadow, words) {
    this.words = words;
    const paper = new CSSStyleSheet();
    paper.replaceSync(`:host { --paper-accent: ${words.accent}; --paper-on-accent: ${words.on_accent}; }`);
    shadow.adoptedStyleSheets = [paper, sheet];
    this.input = make("input", "input", { id: "address", type: "email", autocomplete: "email", required: true, maxLength: 254 });
    this.input.setAttribute("aria-describedby", "problem consent");
    this.problem = make("p", "problem", { id: "problem", className: "small" });
    this.offer = make("p", "offer", { className: "offer", hidden: true });
    this.status = make("p", "status", { className: "small", role: "status" });
    this.form = make("form", "form", { noValidate: true, lang: words.language, dir: words.direction },
      make("label", "prompt", { htmlFor: "address" }, words.prompt),
      make("div", "line", { className: "line" }, this.input, make("button", "button", {}, words.button)),
      this.problem, this.offer,
      make("p", "consent", { id: "consent", className: "small" }, words.consent),
      this.status);
    this.form.addEventListener("focusin", () => this.puzzle());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    shadow.replaceChildren(this.form);
  }

  // A solved puzzle counts once, and for an hour.
  puzzle() {
    if (!this.proof || Date.now() > this.fresh) {
      this.fresh = Date.now() + 3e6;
      this.proof = fetch(`${root}newsletters/${this.newsletter}/puzzle`)
        .then((answer) => answer.json()).then(solve).catch(() => "");
    }
    return this.proof;
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    const address = this.input.value;
    this.tell("");
    this.status.textContent = this.words.working;
    try {
      const answer = await fetch(`${root}subscriptions`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          newsletter: this.newsletter, address, placement: this.placement,
          language: this.words.language, page: location.origin + location.pathname,
          source: "embed", sure: address === this.sure, proof: await this.puzzle(),
        }),
      });
      const told = await answer.json();
      if (answer.ok) this.done(told.message);
      else this.tell(told.error.sentence, told.error.suggestion, address);
    } catch {
      this.tell(this.words.failed);
    }
    this.proof = null;
    this.sending = false;
    this.status.textContent = "";
  }

  tell(sentence, suggestion, address) {
    this.problem.textContent = sentence;
    this.problem.classList.toggle("problem", !!sentence);
    this.offer.hidden = !suggestion;
    this.input.toggleAttribute("aria-invalid", !!sentence);
    if (!sentence) return;
    this.input.setAttribute("aria-invalid", "true");
    this.input.focus();
    if (suggestion) {
      this.sure = address;
      const use = make("button", "button", { type: "button" }, this.words.use.replace("%s", suggestion));
      use.onclick = () => { this.input.value = suggestion; this.send(); };
      this.offer.replaceChildren(use);
    }
  }

  done(message) {
    const end = make("p", "done", { className: "done", tabIndex: -1, role: "status", lang: this.words.language, dir: this.words.direction }, message);
    this.shadowRoot.replaceChildren(end);
    end.focus();
    this.dispatchEvent(new CustomEvent("newsletter-signup", { bubbles: true, composed: true }));
  }
}

customElements.get("newsletter-signup") || customElements.define("newsletter-signup", NewsletterSignup);
