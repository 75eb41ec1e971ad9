// Draws pictures as they come and tells when they were really painted.

/** Decodes and draws onto `canvas` at once; `done({got, drawn, painted})` when the display has been refreshed. */
export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this._context = canvas.getContext("2d", { alpha: false });
    this._hidden = 0;
    this._latest = -1;
    document.addEventListener("visibilitychange", () => this._hidden++);
  }

  async paint(header, bytes, got, done) {
    const turn = ++this._latest;
    let picture;
    try {
      picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    } catch {
      done({ got, drawn: null, painted: null });
      return;
    }
    if (turn === this._latest) {
      if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
        this.canvas.width = picture.width;
        this.canvas.height = picture.height;
      }
      this._context.drawImage(picture, 0, 0);
    }
    picture.close();
    const drawn = performance.now();
    const hidden = this._hidden;
    // The next animation frame is the one that carries this picture to the display. What follows it, the compositor
    // and the display's own delay, a page cannot see.
    requestAnimationFrame(() => {
      const painted = performance.now();
      done({ got, drawn, painted: hidden === this._hidden && !document.hidden ? painted : null });
    });
  }
}
