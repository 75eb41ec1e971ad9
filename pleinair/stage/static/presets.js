// A row of cells: tap recalls, hold stores, a slider sets the cross-fade.
import { ask } from "./ask.js";
import { el } from "./figures.js";

const SLOTS = 8;
const HOLD_MS = 600;

export class Presets {
  constructor() {
    this._seconds = Number(localStorage.getItem("pleinair fade") ?? 2);
    this._row = el("div", { class: "row" });
    this._say = el("p", { class: "say", role: "status" });
    const slider = el("input", { type: "range", id: "fade", min: 0, max: 20, step: 0.5, "aria-label": "cross-fade, seconds" });
    const value = el("output", {});
    const fader = el("div", { class: "fader" }, el("i"), slider);
    const show = () => {
      fader.style.setProperty("--at", this._seconds / 20);
      value.textContent = this._seconds ? `${this._seconds.toFixed(1)} s` : "cut";
      slider.value = this._seconds;
    };
    slider.addEventListener("input", () => {
      this._seconds = Number(slider.value);
      localStorage.setItem("pleinair fade", this._seconds);
      show();
    });
    show();
    const top = el("div", { class: "top" }, el("label", { for: "fade", text: "cross-fade" }), value);
    value.style.marginLeft = "auto";
    document.getElementById("presets").append(this._row, this._say, el("div", { class: "knob" }, top, fader));
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (!typing && /^[1-8]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const name = this._row.children[event.key - 1]?.dataset.preset;
        if (name) this._recall(name);
      }
    });
    this._cells = new Map();
    this.show({ names: [], active: null, fading: null });
  }

  show({ names, active, fading, wrong }) {
    this._names = new Set(names);
    // What is stored in its order, then empty cells with the numbers that are free; a stored number keeps its place.
    const numbers = Array.from({ length: SLOTS }, (_, i) => String(i + 1));
    const named = names.filter((name) => !numbers.includes(name));
    const all = [...named, ...numbers.slice(0, Math.max(SLOTS - named.length, 0))];
    all.push(...names.filter((name) => !all.includes(name)));
    for (const [name, cell] of this._cells) if (!all.includes(name)) {
      cell.remove();
      this._cells.delete(name);
    }
    for (const name of all) {
      if (!this._cells.has(name)) this._cells.set(name, this._cell(name));
      const cell = this._cells.get(name), stored = this._names.has(name);
      cell.classList.toggle("stored", stored);
      cell.classList.toggle("active", stored && name === active);
      cell.style.setProperty("--done", fading?.name === name ? fading.done : 0);
      cell.setAttribute("aria-label", `Preset ${name}${stored ? "" : ", empty"}${name === active ? ", recalled last" : ""}`);
    }
    const order = all.map((name) => this._cells.get(name));
    if (order.some((cell, i) => this._row.children[i] !== cell)) this._row.replaceChildren(...order);
    if (wrong) this._tell(wrong, true);
    else if (!this._said) this._tell(names.length ? "" : "hold a cell to store how the knobs are now", false);
  }

  _cell(name) {
    const cell = el("button", { class: "cellbutton", type: "button", text: name, "data-preset": name, title: `${name}: tap recalls, hold stores` });
    let timer = 0, stored = false;
    const end = () => {
      clearTimeout(timer);
      cell.classList.remove("holding");
    };
    cell.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stored = false;
      cell.classList.add("holding");
      timer = setTimeout(() => {
        stored = true;
        end();
        this._store(name);
      }, HOLD_MS);
    });
    for (const kind of ["pointerup", "pointerleave", "pointercancel"]) cell.addEventListener(kind, end);
    cell.addEventListener("contextmenu", (event) => event.preventDefault());
    cell.addEventListener("click", () => {
      if (!stored) this._recall(name);
      stored = false;
    });
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this._store(name);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        if (this._names.has(name)) this._do("DELETE", name, "", undefined, `${name} is empty again`);
      }
    });
    return cell;
  }

  _store(name) {
    this._do("PUT", name, "", {}, `stored in ${name}`);
  }

  _recall(name) {
    if (!this._names.has(name)) this._tell(`${name} is empty: hold it to store how the knobs are now`);
    else this._do("POST", name, "/recall", { seconds: this._seconds }, "");
  }

  async _do(method, name, more, body, done) {
    try {
      const said = await ask(method, `/api/presets/${encodeURIComponent(name)}${more}`, body);
      this._tell(said.passed_over?.length ? said.passed_over.join("; ") : done);
    } catch (fault) {
      this._tell([fault.what, fault.hint].filter(Boolean).join(". "));
    }
  }

  _tell(text, stays = false) {
    this._say.textContent = text;
    clearTimeout(this._said);
    this._said = stays || !text ? 0 : setTimeout(() => {
      this._said = 0;
      this._say.textContent = "";
    }, 4000);
  }
}
