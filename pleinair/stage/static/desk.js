// The desk: an instrument for the artist. It listens on one connection and plays through it.
import { Wire } from "./wire.js";
import { Painter } from "./painter.js";
import { Chain } from "./chain.js";
import { Ribbon } from "./ribbon.js";
import { Hands } from "./hands.js";
import { Midi } from "./midi.js";
import { Presets } from "./presets.js";
import { Pictures } from "./pictures.js";
import { Foot } from "./foot.js";
import { el, ms } from "./figures.js";

const VIEW_HZ = 15; // the desk's own view is a courtesy: the stage comes first
const at = (id) => document.getElementById(id);

const painter = new Painter(at("small"));
const chain = new Chain(), ribbon = new Ribbon(), presets = new Presets(), pictures = new Pictures(), foot = new Foot();
const midi = new Midi((target, value) => hands.controlled(target, value));
const hands = new Hands((name, value, index) => wire.send({ type: "knob", name, value, ...(index === undefined ? {} : { index }) }), midi);
let wire, screen = new URLSearchParams(location.search).get("screen") ?? "main";

const heard = {
  piece(said) {
    at("title").textContent = said.title || "Untitled";
    at("artist").textContent = said.artist;
    document.title = `${said.title || "Untitled"}: desk`;
    screens(Object.keys(said.screens));
    chain.begin(said.graph);
    hands.begin(said.knobs);
    ribbon.begin(said.parts, said.points, said.budget_ms);
    pictures.begin(said.models);
    foot.begin(said.models);
  },
  knob: (said) => hands.show(said.name, said.value),
  refused: (said) => hands.refused(said),
  presets: (said) => presets.show(said),
  faults: (said) => foot.faults(said.faults),
  notices: (said) => foot.notices(said.notices),
  streams: (said) => chain.streams(said.streams),
  age: (said) => ribbon.add(said),
  report({ report, looking }) {
    chain.figures(report.nodes);
    foot.backends(report.backends);
    const fps = typeof report.fps === "number" ? `${report.fps.toFixed(1)} fps` : "";
    const memory = report.rss_mb ? `${Math.round(report.rss_mb)} MB` : "";
    state([fps, memory, looking === 1 ? "1 viewer" : `${looking || "no"} viewers`].filter(Boolean).join("   "));
    at("age-name").textContent = looking ? "at the glass" : "at this desk";
    const glass = report.glass_ms ?? {};
    at("age-more").replaceChildren(...["p50", "p95", "p99", "max"].map((p) =>
      el("div", {}, el("dt", { text: p }), el("dd", { text: ms(glass[p]) }))));
  },
};

function state(text) {
  if (at("state").textContent !== text) at("state").textContent = text;
}

function connect() {
  wire = new Wire({ desk: "1", screen, rate: String(VIEW_HZ) }, {
    open() {
      document.body.classList.remove("lost");
    },
    close() {
      document.body.classList.add("lost");
      state("connection lost, coming back");
    },
    text: (said) => heard[said.type]?.(said),
    binary(header, bytes, got) {
      if (header.type === "thumb") chain.thumb(header, bytes);
      else if (header.type === "frame") painter.paint(wire, header, bytes, got);
    },
  });
}

function screens(names) {
  const place = at("screens");
  place.hidden = names.length < 2;
  place.replaceChildren(...names.map((name) => el("button", {
    type: "button", text: name, "aria-pressed": String(name === screen),
    onclick() {
      screen = name;
      wire.close();
      connect();
    },
  })));
}

connect();
