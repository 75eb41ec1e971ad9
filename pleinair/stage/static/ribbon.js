// The last 60 seconds of age at the glass, stacked by where the time went. Grey at rest; amber beyond the budget.
import { el, ms, sharp, Steady } from "./figures.js";

const TONES = ["#3a3d42", "#54575c", "#7b7a75", "#96938b", "#b0aca2", "#c8c3b8", "#e0dbd0"];
const POINTS = 240;

export class Ribbon {
  constructor() {
    this.canvas = document.getElementById("ribbon");
    this.points = [];
    this.budget = null;
    this.parts = [];
    this._age = document.getElementById("age-ms");
    this._figure = new Steady((value) => {
      this._age.textContent = ms(value);
      document.body.classList.toggle("late", this.budget !== null && value > this.budget);
    });
    this._cells = [];
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  begin(parts, points, budget) {
    this.points = points.slice(-POINTS);
    this.budget = budget;
    this.parts = parts;
    const list = document.getElementById("parts");
    list.replaceChildren();
    this._cells = parts.map((name, place) => {
      const value = el("dd", { text: "–" });
      const term = el("dt", { text: name });
      term.style.setProperty("--tone", TONES[place]);
      list.append(el("div", {}, term, value));
      return new Steady((mean) => (value.textContent = ms(mean)));
    });
    this.draw();
  }

  add(point) {
    this.points.push(point);
    if (this.points.length > POINTS) this.points.shift();
    if (point.age !== undefined) {
      this._figure.add(point.age);
      point.parts.forEach((value, place) => this._cells[place]?.add(value));
    }
    this.draw();
  }

  draw() {
    const [pen, width, height] = sharp(this.canvas);
    const ages = this.points.filter((p) => p.age !== undefined).map((p) => p.age).sort((a, b) => a - b);
    const high = ages.length ? ages[Math.floor(ages.length * 0.98)] : 0;
    // Steps, so that the scale stands still: 20, 40, 80 ... ms
    let top = 20;
    while (top < Math.max(high * 1.15, (this.budget ?? 0) <= high * 3 ? (this.budget ?? 0) * 1.1 : 0)) top *= 2;
    const step = width / POINTS, from = width - this.points.length * step;
    const y = (value) => height - (Math.min(value, top) / top) * height;
    this.points.forEach((point, place) => {
      if (point.age === undefined) return;
      let sum = 0;
      const x = from + place * step;
      point.parts.forEach((value, part) => {
        pen.fillStyle = TONES[part];
        pen.fillRect(x, y(sum + value), step + 0.3, y(sum) - y(sum + value));
        sum += value;
      });
      if (this.budget !== null && sum > this.budget) {
        pen.fillStyle = "#ffb454";
        pen.fillRect(x, y(sum), step + 0.3, y(this.budget) - y(sum));
      }
    });
    pen.font = '12px "Plein Mono", monospace';
    pen.textAlign = "left";
    const line = (value, colour, text, dash) => {
      const at = Math.round(y(value)) + 0.5;
      pen.strokeStyle = colour;
      pen.setLineDash(dash);
      pen.beginPath();
      pen.moveTo(0, at);
      pen.lineTo(width, at);
      pen.stroke();
      pen.setLineDash([]);
      const label = at < 18 ? at + 13 : at - 5;
      const wide = pen.measureText(text).width;
      pen.fillStyle = "rgb(14 15 16 / 0.72)";
      pen.fillRect(0, label - 11, wide + 8, 14);
      pen.fillStyle = colour;
      pen.fillText(text, 0, label);
    };
    if (this.budget !== null && this.budget <= top) line(this.budget, "#ffb454", `budget ${ms(this.budget)}`, []);
    else line(top / 2, "#8f949a", `${top / 2} ms`, [2, 4]);
    pen.fillStyle = "#25282c";
    pen.fillRect(0, height - 1, width, 1);
  }
}
