// Below: faults as sentences, models with their precision, notices in a line each.
import { ask } from "./ask.js";
import { el } from "./figures.js";

export class Foot {
  constructor() {
    this._faults = document.getElementById("faults");
    this._models = document.getElementById("models");
    this._notices = document.getElementById("notices");
    this._licences = document.getElementById("licences");
    this._rows = new Map();
    this.faults([]);
  }

  faults(faults) {
    if (!faults.length) {
      this._faults.replaceChildren(el("li", { class: "none", text: "None." }));
      return;
    }
    this._faults.replaceChildren(...faults.map((fault) => {
      const about = el("dl");
      for (const [name, value] of [["where", fault.where], ["now", fault.now], ["try", fault.hint]]) {
        if (value) about.append(el("dt", { text: name }), el("dd", { text: value }));
      }
      const what = el("p", { class: "what", text: fault.what });
      if (fault.count > 1) what.append(el("span", { class: "count", text: `× ${fault.count}` }));
      return el("li", {}, what, about);
    }));
  }

  begin(models) {
    this._rows.clear();
    this._models.replaceChildren(...models.map((model) => {
      const precision = el("span", { class: "precision" });
      let card = el("span", { text: model.card });
      const cards = [...new Set([model.card, ...model.cards])];
      if (cards.length > 1) {
        card = el("select", { "aria-label": `card of ${model.name}` }, ...cards.map((name) => el("option", { text: name, value: name })));
        card.value = model.card;
        card.addEventListener("change", () => this._swap(model, card, precision));
      }
      this._rows.set(model.name, { precision });
      return el("li", {}, el("b", { text: model.name }), card, precision);
    }));
  }

  async _swap(model, card, say) {
    const wanted = card.value;
    say.textContent = `loading ${wanted} beside …`;
    card.disabled = true;
    try {
      await ask("POST", `/api/models/${encodeURIComponent(model.name)}/swap`, { card: wanted });
      model.card = wanted;
      say.textContent = "";
    } catch (fault) {
      card.value = model.card;
      say.textContent = [fault.what, fault.hint].filter(Boolean).join(". ");
      this._rows.get(model.name).until = performance.now() + 6000;
    } finally {
      card.disabled = false;
    }
  }

  backends(backends = {}) {
    for (const [name, row] of this._rows) {
      const about = backends[name];
      if (!about || performance.now() < (row.until ?? 0) || row.precision.textContent.startsWith("loading")) continue;
      const threads = about.threads ? `${about.threads} thread${about.threads === 1 ? "" : "s"}` : "";
      row.precision.textContent = [about.name, about.version, about.precision, threads].filter(Boolean).join("  ");
    }
  }

  notices(notices) {
    const papers = ["licences", "openness"];
    const others = notices.filter(({ name }) => !papers.includes(name));
    this._notices.replaceChildren(...others.flatMap(({ name, text }) => [el("dt", { text: name }), el("dd", { text })]));
    const refused = notices.filter(({ name, verdict, accepted }) => name === "licences" && verdict === "refuse" && !accepted);
    const sign = document.getElementById("refused");
    sign.hidden = !refused.length;
    sign.textContent = `${refused.map(({ use }) => use).join(", ")}: refused`;
    const open = new Set([...this._licences.querySelectorAll("details[open]")].map((one) => one.dataset.use));
    this._licences.replaceChildren(...notices.filter(({ name }) => papers.includes(name)).map((notice) => verdict(notice, open)));
  }
}

// A use in one line; its reasons, with clause and date, behind it.
function verdict({ name, text, verdict, use = "", more = "", accepted }, open) {
  const kind = verdict === "refuse" && !accepted ? "refused" : name === "openness" ? "openness" : "";
  if (!more) return el("p", { class: kind, text });
  const reasons = more.split("\n").map((sentence) => el("p", { text: sentence }));
  const one = el("details", { class: kind }, el("summary", { text: text.replace(/\. .*$/s, "") }), ...reasons);
  one.dataset.use = use;
  one.open = open.has(use);
  return one;
}
