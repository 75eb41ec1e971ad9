// Any picture dropped onto the desk becomes one more style of the model that takes pictures.
import { ask } from "./ask.js";
import { el } from "./figures.js";

export class Pictures {
  constructor() {
    this._place = document.getElementById("pictures");
    this._drop = document.getElementById("drop");
    this._model = null;
    let inside = 0;
    const files = (event) => this._model && [...(event.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragenter", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      inside++;
      this._drop.hidden = false;
    });
    addEventListener("dragover", (event) => files(event) && event.preventDefault());
    addEventListener("dragleave", () => {
      inside = Math.max(0, inside - 1);
      this._drop.hidden = inside === 0;
    });
    addEventListener("drop", (event) => {
      inside = 0;
      this._drop.hidden = true;
      event.preventDefault(); // even where nothing takes pictures: the browser would leave the desk for it
      const file = event.dataTransfer?.files?.[0];
      if (file && this._model) this._give(file);
    });
    addEventListener("paste", (event) => {
      const file = event.clipboardData?.files?.[0];
      if (file && this._model) this._give(file);
    });
  }

  begin(models) {
    const model = models.find((m) => m.pictures)?.name ?? null;
    if (model === this._model) return;
    this._model = model;
    this._place.hidden = !model;
    if (!model) return;
    this._drop.firstElementChild.textContent = `Let go: it becomes a style of ${model}`;
    const input = el("input", { type: "file", accept: "image/jpeg,image/png,image/webp,image/bmp" });
    input.addEventListener("change", () => input.files[0] && this._give(input.files[0]));
    this._say = el("p", { role: "status", text: `or drop one anywhere: it becomes a style of ${model}` });
    this._image = el("img", { alt: "", hidden: true });
    this._place.replaceChildren(el("label", {}, "Choose a picture", input), this._image, this._say);
  }

  async _give(file) {
    const name = file.name || "the picture";
    this._say.className = "";
    this._say.textContent = `${this._model} is looking at ${name} …`;
    if (this._image.src) URL.revokeObjectURL(this._image.src);
    this._image.src = URL.createObjectURL(file);
    this._image.hidden = false;
    try {
      await ask("PUT", `/api/pictures/${encodeURIComponent(this._model)}`, file);
      this._say.textContent = `${name} is a style of ${this._model} now`;
    } catch (fault) {
      this._image.hidden = true;
      this._say.className = "wrong";
      this._say.textContent = [fault.what, fault.hint].filter(Boolean).join(". ");
    }
  }
}
