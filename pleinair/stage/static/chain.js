// The graph as it is: each stream with a small picture or trace, three figures, ticks for skips and losses.
import { el, ms, sharp } from "./figures.js";

const TICKS_S = 20;
const SVG = "http://www.w3.org/2000/svg";

export class Chain {
  constructor() {
    this._graph = document.getElementById("graph");
    this._rows = new Map();
    new ResizeObserver(() => this._lines()).observe(this._graph);
  }

  begin(graph) {
    this._nodes = graph.nodes;
    this._rows.clear();
    this._svg = document.createElementNS(SVG, "svg");
    this._svg.setAttribute("aria-hidden", "true");
    this._graph.replaceChildren(this._svg);
    // Knobs first, so that the way of the pictures is one straight line.
    const isKnob = (node) => node.role === "source" && ["Control", "Vector", "Event"].includes(node.kind);
    for (const node of [...graph.nodes.filter(isKnob), ...graph.nodes.filter((n) => !isKnob(n))]) {
      const slim = isKnob(node);
      const row = slim ? slimRow(node) : wideRow(node);
      row.node = node;
      row.history = [];
      row.marks = [];
      this._rows.set(node.name, row);
      this._graph.append(row.element);
    }
    this._lines();
  }

  /** Where each stream goes: hot inputs as lines, cold ones dotted. A lane for each line that others would cross. */
  _lines() {
    if (!this._svg) return;
    const rows = [...this._rows.values()];
    const top = this._graph.getBoundingClientRect().top;
    const dot = rows.map((row) => {
      const box = row.element.getBoundingClientRect();
      return box.top - top + (row.slim ? box.height / 2 : 22);
    });
    const place = new Map(rows.map((row, i) => [row.node.name, i]));
    const lanes = [];
    this._svg.replaceChildren();
    const edges = rows.flatMap((row, to) =>
      row.node.reads.map((read) => ({ from: place.get(read.stream), to, cold: !read.hot })));
    edges.sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from) || a.cold - b.cold);
    for (const { from, to, cold } of edges) {
      const path = document.createElementNS(SVG, "path");
      const [low, high] = from < to ? [from, to] : [to, from];
      let lane = 0;
      if (high - low > 1 || from >= to) {
        lane = 1;
        while ((lanes[lane] ?? []).some(([a, b]) => low < b && a < high)) lane++;
        (lanes[lane] ??= []).push([low, high]);
      }
      const x = Math.max(2, 34 - lane * 6), bend = Math.min(12, Math.abs(dot[to] - dot[from]) / 2) * Math.sign(dot[to] - dot[from] || 1);
      path.setAttribute("d", lane
        ? `M34 ${dot[from]} C${x} ${dot[from]} ${x} ${dot[from]} ${x} ${dot[from] + bend} V${dot[to] - bend} C${x} ${dot[to]} ${x} ${dot[to]} 34 ${dot[to]}`
        : `M34 ${dot[from]} V${dot[to]}`);
      if (cold) path.setAttribute("class", "cold");
      this._svg.append(path);
    }
    rows.forEach((row, i) => {
      const circle = document.createElementNS(SVG, "circle");
      for (const [key, value] of Object.entries({ cx: 34, cy: dot[i], r: row.slim ? 2.5 : 4 })) circle.setAttribute(key, value);
      if (row.node.screens.length) circle.setAttribute("class", "shown");
      this._svg.append(circle);
    });
  }

  async thumb(header, bytes) {
    const row = this._rows.get(header.stream);
    if (!row || !(row.look instanceof HTMLCanvasElement)) return;
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    row.look.width = picture.width;
    row.look.height = picture.height;
    row.look.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
  }

  /** Five times a second: values, and how many more were skipped or lost. */
  streams(streams) {
    const now = performance.now() / 1000;
    for (const [name, row] of this._rows) {
      const news = streams[name];
      if (!news) continue;
      for (const [what, shift] of [["skipped", 0], ["lost", 0]]) {
        const more = news[what] - (row[what] ?? news[what]);
        if (more > 0) row.marks.push([now, what, Math.min(more, 9), shift]);
        row[what] = news[what];
      }
      row.marks = row.marks.filter(([at]) => now - at < TICKS_S);
      if (row.ticks) drawTicks(row.ticks, row.marks, now);
      if (news.values) drawBars(row.look, news.values);
      else if (news.value !== undefined) {
        row.history.push(news.value);
        if (row.history.length > 48) row.history.shift();
        drawTrace(row.look, row.history);
        if (row.value) row.value.textContent = news.value.toFixed(2);
      } else if (news.text !== undefined) {
        row.say(news.text, news);
      } else if (news.count !== undefined) {
        row.found = `${news.count} found`;
      }
    }
  }

  figures(nodes) {
    for (const [name, row] of this._rows) {
      const about = nodes?.[name];
      if (!about || !row.cells) continue;
      for (const what of ["waited", "ran", "age"])
        for (const p of ["p50", "p95", "p99"]) row.cells[what][p].textContent = ms(about[`${what}_ms`]?.[p]);
      const told = [row.found, about.skipped ? `${about.skipped} skipped` : ""].filter(Boolean).join("  ");
      row.counts.replaceChildren(told);
      if (about.lost) row.counts.append(told ? "  " : "", el("b", { text: `${about.lost} lost` }));
    }
  }
}

function wideRow(node) {
  const silent = node.role === "sink"; // what goes out there is to be seen in the stream that it reads
  const look = silent ? el("span") : el("canvas", { class: "look", width: 96, height: 72, role: "img", "aria-label": `${node.name}, small` });
  const cells = {};
  const head = el("tr", {}, el("th", { scope: "col", text: "ms" }), ...["p50", "p95", "p99"].map((p) => el("th", { scope: "col", text: p })));
  const table = el("table", {}, el("thead", {}, head));
  const body = el("tbody");
  for (const what of ["waited", "ran", "age"]) {
    cells[what] = {};
    const line = el("tr", {}, el("th", { scope: "row", text: what }));
    for (const p of ["p50", "p95", "p99"]) line.append((cells[what][p] = el("td", { text: "–" })));
    body.append(line);
  }
  table.append(body);
  const counts = el("p", { class: "counts" });
  const ticks = el("canvas", { class: "ticks", "aria-hidden": "true" });
  const about = [node.role === "effect" ? "" : node.role, node.kind, ...node.screens.map((s) => `screen ${s}`)].filter(Boolean).join(", ");
  const element = el("article", { class: "stream", "data-stream": node.name },
    el("div", { class: "body" }, look,
      el("div", {}, el("h3", {}, node.name, el("small", { text: about.toLowerCase() })), table, counts, ticks)));
  const row = { element, look, cells, counts, ticks, slim: false };
  row.say = (text, { final = true, confidence, language } = {}) => {
    if (row.look instanceof HTMLCanvasElement) {
      const words = el("p", { class: "words" });
      row.look.replaceWith(words);
      row.look = words;
    }
    row.look.textContent = text;
    row.look.classList.toggle("unsure", !final);
    row.found = [language, typeof confidence === "number" ? `sure ${confidence.toFixed(2)}` : ""].filter(Boolean).join("  ");
  };
  return row;
}

function slimRow(node) {
  const look = el("canvas", { class: "look", width: 96, height: 24, "aria-hidden": "true" });
  const value = el("output", { text: node.kind === "Vector" ? "" : "–" });
  const element = el("article", { class: "stream slim", "data-stream": node.name },
    el("div", { class: "body" }, look, el("h3", {}, node.name, el("small", { text: node.about?.uri ? "source" : "knob" })), value));
  return { element, look, value, slim: true, say: (text) => (value.textContent = text.slice(0, 24)) };
}

function drawTrace(canvas, history) {
  if (!(canvas instanceof HTMLCanvasElement)) return;
  const [pen, width, height] = sharp(canvas);
  const low = Math.min(0, ...history), high = Math.max(1, ...history);
  pen.strokeStyle = "#e9e6df";
  pen.lineWidth = 1;
  pen.beginPath();
  history.forEach((value, i) => {
    const x = width - (history.length - 1 - i) * (width / 47), y = height - 2 - ((value - low) / (high - low)) * (height - 4);
    if (i) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  });
  pen.stroke();
}

function drawBars(canvas, values) {
  if (!(canvas instanceof HTMLCanvasElement) || !values.length) return;
  const [pen, width, height] = sharp(canvas);
  const step = width / values.length, high = Math.max(1, ...values.map(Math.abs));
  values.forEach((value, i) => {
    const tall = Math.max(1, (Math.abs(value) / high) * (height - 2));
    pen.fillStyle = value ? "#e9e6df" : "#4a4e54";
    pen.fillRect(i * step, height - tall, Math.max(1, step - 1), tall);
  });
}

function drawTicks(canvas, marks, now) {
  const [pen, width, height] = sharp(canvas);
  pen.fillStyle = "#25282c";
  pen.fillRect(0, height - 1, width, 1);
  for (const [at, what, many] of marks) {
    pen.fillStyle = what === "lost" ? "#ff5d52" : "#8f949a";
    const tall = what === "lost" ? height : 2 + Math.min(many, 6);
    pen.fillRect(width - ((now - at) / TICKS_S) * width, height - tall, 1, tall);
  }
}
