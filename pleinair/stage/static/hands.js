// Knobs: one number is a fader, many are a grid. Drag, wheel, arrows, typed numbers; double-click for the default,
// shift for fine, long press learns a controller.
import { el, plain } from "./figures.js";

const HOLD_MS = 600;
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };

export class Hands {
  /** `send(name, value, index)` tells the stage; `midi` learns. */
  constructor(send, midi) {
    this._send = send;
    this._midi = midi;
    this._place = document.getElementById("knobs");
    this._knobs = new Map();
    this._waiting = new Map();
  }

  begin(specs) {
    const same = JSON.stringify(specs.map(({ value, ...rest }) => rest));
    if (same !== this._same) {
      this._same = same;
      this._knobs.clear();
      this._place.replaceChildren();
      for (const spec of specs) {
        const knob = Array.isArray(spec.default) ? new Grid(spec, this) : new Fader(spec, this);
        this._knobs.set(spec.name, knob);
        this._place.append(knob.element);
      }
    }
    for (const spec of specs) this.show(spec.name, spec.value);
  }

  show(name, value) {
    this._knobs.get(name)?.show(value);
  }

  refused(message) {
    this._knobs.get(message.name)?.refused(message.what, message.value);
  }

  /** At most once for each animation frame and place. */
  send(name, value, index) {
    if (!this._waiting.size) {
      requestAnimationFrame(() => {
        for (const [n, v, i] of this._waiting.values()) this._send(n, v, i);
        this._waiting.clear();
      });
    }
    if (index === undefined) for (const key of [...this._waiting.keys()]) if (key.startsWith(`${name}\n`)) this._waiting.delete(key);
    this._waiting.set(`${name}\n${index ?? ""}`, [name, value, index]);
  }

  learn(target, show) {
    this._midi.learn(target, show);
  }

  /** A controller moved: `at` is 0..1. */
  controlled(target, at) {
    const [name, index] = target.split("\n");
    this._knobs.get(name)?.controlled(at, index);
  }

  learnt(target) {
    return this._midi.name(target);
  }
}

/** Makes an input a playable place: `get()` and `set(value)` in the knob's own numbers, `along` is x or y. */
function play(input, { low, high, initial, along, get, set, tap, learn }) {
  const span = high - low;
  const put = (value) => set(Math.min(high, Math.max(low, value)));
  let drag = null;
  input.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, value: get(), moved: false, id: event.pointerId };
    input.setPointerCapture(event.pointerId);
    drag.timer = setTimeout(() => {
      if (drag && !drag.moved) {
        drag.held = true;
        learn();
      }
    }, HOLD_MS);
  });
  input.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id || drag.held) return;
    const box = input.getBoundingClientRect();
    const way = along === "x" ? (event.clientX - drag.x) / box.width : (drag.y - event.clientY) / box.height;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 4) return;
    drag.moved = true;
    drag.value += way * span * (event.shiftKey ? 0.1 : along === "x" ? 1 : 0.8);
    drag.x = event.clientX;
    drag.y = event.clientY;
    put(drag.value);
    drag.value = Math.min(high, Math.max(low, drag.value));
  });
  const end = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    clearTimeout(drag.timer);
    const { moved, held } = drag;
    drag = null;
    if (event.type === "pointerup" && !moved && !held) tap?.(event);
  };
  input.addEventListener("pointerup", end);
  input.addEventListener("pointercancel", end);
  // The browser's own slider would jump to the finger: a hand on an instrument begins where the value is.
  for (const kind of ["mousedown", "touchstart"]) {
    input.addEventListener(kind, (event) => {
      if (kind === "mousedown" || along === "y") event.preventDefault();
      input.focus({ preventScroll: true, focusVisible: false });
    }, { passive: false });
  }
  input.addEventListener("dblclick", () => put(initial));
  input.addEventListener("contextmenu", (event) => event.preventDefault());
  input.addEventListener("wheel", (event) => {
    event.preventDefault();
    const turn = event.deltaY || event.deltaX; // shift turns the wheel sideways
    put(get() - Math.sign(turn) * span * (event.shiftKey ? 0.002 : 0.02));
  }, { passive: false });
  input.addEventListener("keydown", (event) => {
    const steps = KEYS[event.key];
    if (steps) put(get() + steps * span * (event.shiftKey ? 0.002 : 0.02));
    else if (event.key === "Home") put(low);
    else if (event.key === "End") put(high);
    else if (event.key === "Delete" || event.key === "Backspace") put(initial);
    else if (event.key === "l") learn();
    else if (event.key === "Enter" && tap) tap(event);
    else return;
    event.preventDefault();
  });
  input.addEventListener("input", () => put(Number(input.value))); // assistive technology, and programs
}

class Fader {
  constructor(spec, hands) {
    this.spec = spec;
    [this._low, this._high] = spec.range;
    this._span = this._high - this._low;
    this._hands = hands;
    const id = `knob-${spec.name}`;
    this._input = el("input", { type: "range", id, min: this._low, max: this._high, step: "any", "data-knob": spec.name,
      "aria-describedby": `${id}-typed` });
    this._typed = el("input", { class: "typed", id: `${id}-typed`, inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${spec.name}, typed` });
    this._learnt = el("span", { class: "learnt", text: hands.learnt(spec.name) });
    this._fader = el("div", { class: "fader" }, el("u"), el("i"), this._input);
    this._fader.style.setProperty("--default", (spec.default - this._low) / this._span);
    this.element = el("div", { class: "knob" },
      el("div", { class: "top" }, el("label", { for: id, text: spec.name.replaceAll("_", " ") }), this._learnt, this._typed), this._fader);
    play(this._input, {
      low: this._low, high: this._high, initial: spec.default, along: "x",
      get: () => this.value, set: (value) => this._set(value),
      learn: () => hands.learn(spec.name, (text, learning) => {
        this._learnt.textContent = text;
        this._learnt.classList.toggle("learning", learning);
      }),
    });
    this._typed.addEventListener("focus", () => this._typed.select());
    this._typed.addEventListener("change", () => this._enter());
    this._typed.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this._draw();
        this._input.focus();
      }
      if (KEYS[event.key] && event.key.startsWith("Arrow") && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        this._set(Math.min(this._high, Math.max(this._low, this.value + KEYS[event.key] * this._span * 0.01)));
        event.preventDefault();
      }
    });
    this.value = spec.default;
  }

  _enter() {
    const value = Number(this._typed.value.replace(",", "."));
    if (this._typed.value.trim() === "" || !Number.isFinite(value)) this._draw();
    else this._hands._send(this.spec.name, value); // the stage judges, and says what is wrong
    this._mine = 0;
  }

  _set(value) {
    this.value = value;
    this._mine = performance.now();
    this._draw();
    this._hands.send(this.spec.name, value);
  }

  controlled(at) {
    this._set(this._low + at * this._span);
  }

  /** What the stage says. While a hand is on the knob, the hand is right. */
  show(value) {
    if (performance.now() - (this._mine ?? -1e9) < 300) {
      clearTimeout(this._later);
      this._later = setTimeout(() => this.show(value), 320);
      return;
    }
    clearTimeout(this._later);
    this.value = value;
    this._draw();
  }

  refused(what, value) {
    this.element.classList.add("wrong");
    this._learnt.textContent = what;
    setTimeout(() => {
      this.element.classList.remove("wrong");
      this._learnt.textContent = this._hands.learnt(this.spec.name);
    }, 4000);
    if (typeof value === "number") this.show(value);
  }

  _draw() {
    const text = plain(this.value, this._span);
    this._fader.style.setProperty("--at", (this.value - this._low) / this._span);
    this._input.value = this.value;
    this._input.setAttribute("aria-valuetext", text);
    if (document.activeElement !== this._typed || this._mine) this._typed.value = text;
  }
}

// Voices whose names begin with their language and f or m ("bf_emma", as Kokoro's do) stand together: women, then men.
const LANGUAGES = { a: "American", b: "British", e: "Spanish", f: "French", h: "Hindi", i: "Italian", j: "Japanese", p: "Portuguese", z: "Mandarin" };

function grouped(given, count) {
  const names = Array.from({ length: count }, (_, i) => given[i] ?? String(i + 1));
  const parts = names.map((name) => /^([a-z])([fm])_(.+)$/.exec(name));
  if (!parts.every((part) => part && LANGUAGES[part[1]])) return { names, groups: [["", names.map((_, i) => i)]] };
  const groups = new Map();
  for (const sex of ["f", "m"]) {
    parts.forEach(([, language, who], i) => {
      if (who === sex) groups.set(LANGUAGES[language], [...(groups.get(LANGUAGES[language]) ?? []), i]);
    });
  }
  return { names: parts.map(([, , who, name]) => `${name[0].toUpperCase()}${name.slice(1)} ${who}`), groups: [...groups] };
}

class Grid {
  constructor(spec, hands) {
    this.spec = spec;
    [this._low, this._high] = spec.range;
    this._span = this._high - this._low;
    this._hands = hands;
    this.values = [...spec.default];
    this._mine = [];
    this._solos = true;
    const tap = el("button", { class: "quiet", type: "button", "aria-pressed": "true", text: "tap plays one alone" });
    tap.addEventListener("click", () => {
      this._solos = !this._solos;
      tap.setAttribute("aria-pressed", String(this._solos));
      tap.textContent = this._solos ? "tap plays one alone" : "tap adds and takes";
    });
    const reset = el("button", { class: "quiet", type: "button", text: "default", "aria-label": `${spec.name} to its default`,
      onclick: () => this._ramp([...spec.default]) });
    this._note = el("span", { class: "learnt mono" });
    const { groups, names } = grouped(spec.names, spec.default.length);
    const grids = el("div", { class: groups.length > 1 ? "palette" : "" });
    const places = groups.flatMap(([title, indexes]) => {
      const grid = el("div", { class: "grid", role: title ? "group" : null, "aria-label": title || null });
      if (title) grids.append(el("h4", { text: title }));
      grids.append(grid);
      return indexes.map((index) => [index, grid]);
    });
    this._cells = [];
    for (const [index, grid] of places) {
      const initial = spec.default[index], name = names[index];
      const input = el("input", { type: "range", min: this._low, max: this._high, step: "any", "data-index": index, "aria-label": name });
      const output = el("output", {});
      const cell = el("div", { class: "cell", title: name }, el("b", { text: name }), el("i"), output, input);
      const target = `${spec.name}\n${index}`;
      play(input, {
        low: this._low, high: this._high, initial, along: "y",
        get: () => this.values[index], set: (value) => this._set(index, value),
        tap: (event) => this._tap(index, event.shiftKey !== this._solos),
        learn: () => hands.learn(target, (text, learning) => {
          cell.classList.toggle("learning", learning);
          this._note.textContent = text;
        }),
      });
      input.addEventListener("keydown", (event) => this._walk(event, index));
      grid.append(cell);
      this._cells[index] = { cell, input, output };
    }
    this.element = el("div", { class: "vector", "data-knob": spec.name, role: "group", "aria-label": spec.name },
      el("div", { class: "top" }, el("h3", { text: spec.name.replaceAll("_", " ") }), this._note, tap, reset), grids);
    this._cells.forEach((_, index) => this._draw(index));
  }

  /** A typed digit sets tenths, `[` and `]` go to the neighbour: arrows are for the value. */
  _walk(event, index) {
    if (/^[0-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
      this._set(index, this._low + this._span * Number(event.key) / 10);
    } else if (event.key === "]" || event.key === "[") {
      this._cells.at((index + (event.key === "]" ? 1 : -1)) % this._cells.length).input.focus();
    }
  }

  _tap(index, alone) {
    const goal = alone ? this.values.map(() => this._low) : [...this.values];
    goal[index] = alone || this.values[index] <= this._low + this._span / 2 ? this._high : this._low;
    this._ramp(goal);
  }

  /** In a fifth of a second, so that nothing jumps. */
  _ramp(goal) {
    const start = [...this.values], began = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const turn = (this._turn = (this._turn ?? 0) + 1);
    const step = () => {
      if (turn !== this._turn) return;
      const done = still ? 1 : Math.min(1, (performance.now() - began) / 200);
      this.values = start.map((value, i) => (done === 1 ? goal[i] : value + (goal[i] - value) * done));
      this.values.forEach((_, i) => {
        this._mine[i] = performance.now();
        this._draw(i);
      });
      this._hands.send(this.spec.name, [...this.values]);
      if (done < 1) requestAnimationFrame(step);
    };
    step();
  }

  _set(index, value) {
    this._turn = (this._turn ?? 0) + 1;
    this.values[index] = value;
    this._mine[index] = performance.now();
    this._draw(index);
    this._hands.send(this.spec.name, value, index);
  }

  controlled(at, index) {
    this._set(Number(index), this._low + at * this._span);
  }

  show(values) {
    if (!Array.isArray(values)) return;
    const now = performance.now();
    let later = false;
    values.forEach((value, index) => {
      if (now - (this._mine[index] ?? -1e9) < 300) later = true;
      else if (this.values[index] !== value || !this._drawn) {
        this.values[index] = value;
        this._draw(index);
      }
    });
    this._drawn = true;
    clearTimeout(this._later);
    if (later) this._later = setTimeout(() => this.show(values), 320);
  }

  refused(what, values) {
    this._note.textContent = what;
    setTimeout(() => (this._note.textContent = ""), 4000);
    this._mine = [];
    this.show(values);
  }

  _draw(index) {
    const { cell, input, output } = this._cells[index];
    const value = this.values[index], at = (value - this._low) / this._span;
    cell.style.setProperty("--at", at);
    cell.classList.toggle("off", at <= 0.0005);
    input.value = value;
    output.textContent = at <= 0.0005 ? "" : plain(value, this._span);
    input.setAttribute("aria-valuetext", plain(value, this._span));
  }
}
