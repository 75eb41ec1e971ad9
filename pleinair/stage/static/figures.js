// Numbers that do not jump: steadied over half a second, in fixed columns.

/** Three figures at most: 0.42, 8.1, 34, 1240; `–` for what is not known. */
export function ms(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  if (value < 9.95) return value.toFixed(1);
  return String(Math.round(value));
}

export function plain(value, span) {
  const digits = span >= 100 ? 0 : span >= 10 ? 1 : span >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

/** A mean over half a second; `show(text)` is called when it is over. */
export class Steady {
  constructor(show) {
    this._show = show;
    this._sum = this._count = 0;
    this._since = performance.now();
  }

  add(value) {
    this._sum += value;
    this._count++;
    const now = performance.now();
    if (now - this._since < 500) return;
    this._show(this._sum / this._count);
    this._sum = this._count = 0;
    this._since = now;
  }
}

/** `el("p", {class: "x", text: "..."}, child, ...)` */
export function el(name, about = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A canvas as sharp as the display; returns its context and size in CSS pixels. */
export function sharp(canvas) {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}
