// The lines in time: original above, dub below, each with its waveform. Drawn on a canvas as wide as what is seen.
import { h } from "./dom.js";
import { clock } from "./words.js";

const RULER = 22;
const WAVE = 40;
const BLOCK = 30;
const GAP = 4;
const COLOURS = 8;
const STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
const LABEL_PX = 64;
const CLOSEST = 400; // pixels for a second
const QUIET = 8; // of 255: what is never louder is not drawn as if it were
const WIDEST = 8_000_000; // pixels that browsers lay out

export class Timeline {
  constructor(signal, { seek, pick }) {
    Object.assign(this, { seek, pick, lines: [], duration: 0, second: 0, selected: null, waveform: null, scale: 0, touched: 0 });
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.wide = h("div", { class: "wide" }, this.canvas);
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "slider", "aria-label": "Timeline: position", "aria-valuemin": "0" }, this.wide);
    this.names = h("div", { class: "names", "aria-hidden": "true" }, h("span", {}, "Original"), h("span", {}, "Dub"));
    const button = (text, label, work) => h("button", { type: "button", class: "small", "aria-label": label, onclick: work }, text);
    this.element = h("section", { class: "card stack tight", "aria-label": "Timeline" },
      h("div", { class: "heading" }, h("h2", {}, "Timeline"),
        h("ul", { class: "legend", "aria-hidden": "true" }, h("li", { class: "flagged" }, "▲ flagged"), h("li", { class: "edited" }, "● edited"), h("li", { class: "kept" }, "original kept")),
        h("div", { class: "actions" }, button("−", "Zoom out", () => this.zoom(1 / 1.5)), button("+", "Zoom in", () => this.zoom(1.5)), button("Fit", "Show the whole video", () => this.fit()))),
      h("div", { class: "timeline" }, this.names, this.scroller));
    this.hear(signal);
  }

  hear(signal) {
    this.scroller.addEventListener("scroll", () => this.soon(), { passive: true, signal });
    this.scroller.addEventListener("pointerdown", () => (this.touched = performance.now()), { signal });
    this.scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
    this.canvas.addEventListener("click", (event) => this.click(event), { signal });
    this.canvas.addEventListener("mousemove", (event) => this.point(event), { signal });
    this.scroller.addEventListener("keydown", (event) => this.key(event), { signal });
    const sizes = new ResizeObserver(() => this.resize());
    sizes.observe(this.scroller);
    signal.addEventListener("abort", () => sizes.disconnect());
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(query).addEventListener("change", () => this.soon(), { signal });
  }

  show(lines, speakers, duration, waveform) {
    const first = this.duration !== duration;
    Object.assign(this, { lines, duration, waveform, colours: new Map(speakers.map((speaker, place) => [speaker, place % COLOURS])) });
    const wave = waveform ? WAVE : 0;
    const top = RULER + GAP;
    this.rows = { sourceWave: top, source: top + wave, dub: top + wave + BLOCK + GAP, dubWave: top + wave + 2 * BLOCK + GAP };
    this.height = this.rows.dubWave + wave + GAP;
    this.names.style.paddingTop = `${this.rows.source + 5}px`;
    this.canvas.style.height = `${this.height}px`;
    this.scroller.setAttribute("aria-valuemax", duration.toFixed(1));
    if (first) this.fit();
    this.resize();
  }

  select(segment) {
    this.selected = segment;
    const line = this.lines.find((one) => one.segment === segment);
    if (line) this.reveal(line.start_ms / 1000);
    this.soon();
  }

  move(second, playing) {
    if (Math.abs(second - this.second) < 0.004 && !playing) return;
    this.second = second;
    this.scroller.setAttribute("aria-valuenow", second.toFixed(1));
    const line = this.at(second, "dub");
    this.scroller.setAttribute("aria-valuetext", `${clock(second)}${line ? `, ${line.speaker}: ${line.text}` : ""}`);
    if (playing && performance.now() - this.touched > 3000) this.reveal(second);
    this.soon();
  }

  reveal(second) {
    const { scrollLeft, clientWidth } = this.scroller;
    const x = second * this.scale;
    if (x < scrollLeft || x > scrollLeft + clientWidth - 20) this.scroller.scrollLeft = x - clientWidth * 0.15;
  }

  fit() {
    this.whole = true;
    this.resize();
  }

  zoom(factor, around = this.second) {
    const width = this.scroller.clientWidth;
    const before = around * this.scale - this.scroller.scrollLeft;
    const least = width / this.duration;
    const most = Math.min(CLOSEST, WIDEST / this.duration);
    this.scale = Math.max(least, Math.min(Math.max(least, most), this.scale * factor));
    this.whole = this.scale <= least * 1.001;
    this.layOut();
    this.scroller.scrollLeft = around * this.scale - (before >= 0 && before <= width ? before : width / 2);
    this.soon();
  }

  resize() {
    if (!this.duration || !this.scroller.clientWidth) return;
    if (this.whole) this.scale = this.scroller.clientWidth / this.duration;
    this.layOut();
    this.soon();
  }

  layOut() {
    const ratio = devicePixelRatio || 1;
    const width = this.scroller.clientWidth;
    this.wide.style.width = `${this.whole ? width : Math.ceil(this.duration * this.scale)}px`;
    this.canvas.style.width = `${width}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => ((this.frame = undefined), this.draw()));
  }

  draw() {
    if (!this.canvas.width || !this.duration) return;
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement);
    this.palette = (name) => style.getPropertyValue(`--${name}`).trim();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.left = this.scroller.scrollLeft;
    this.width = this.scroller.clientWidth;
    this.drawRuler(context);
    if (this.waveform) this.drawWaves(context);
    for (const line of this.lines) this.drawLine(context, line);
    this.drawPlace(context);
  }

  x(second) {
    return second * this.scale - this.left;
  }

  drawRuler(context) {
    const step = STEPS_S.find((one) => one * this.scale >= LABEL_PX) ?? STEPS_S.at(-1);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = this.palette("quiet");
    context.strokeStyle = this.palette("line");
    context.lineWidth = 1;
    context.beginPath();
    for (let tick = Math.floor(this.left / this.scale / step) * step; this.x(tick) < this.width && tick <= this.duration; tick += step) {
      const x = Math.round(this.x(tick)) + 0.5;
      context.moveTo(x, RULER - 4);
      context.lineTo(x, this.height);
      context.fillText(clock(tick, step < 1), x + 3, 12);
    }
    context.stroke();
  }

  drawWaves(context) {
    const { per_second: rate, source, dub } = this.waveform;
    for (const [values, top, colour] of [[source, this.rows.sourceWave, "source"], [dub, this.rows.dubWave, "accent"]]) {
      context.fillStyle = this.palette(colour);
      const middle = top + WAVE / 2;
      const loudest = values.reduce((most, value) => Math.max(most, value), QUIET);
      for (let x = 0; x < this.width; x++) {
        const from = Math.floor(((x + this.left) / this.scale) * rate);
        const to = Math.max(from + 1, Math.floor(((x + 1 + this.left) / this.scale) * rate));
        let most = 0;
        for (let place = from; place < to && place < values.length; place++) most = Math.max(most, values[place]);
        const half = Math.max(0.5, (most / loudest) * (WAVE / 2 - 2));
        context.fillRect(x, middle - half, 1, 2 * half);
      }
    }
  }

  drawLine(context, line) {
    const spans = [[line.source_start_ms, line.source_end_ms, this.rows.source, line.source_text, false], [line.start_ms, line.end_ms, this.rows.dub, line.text, true]];
    for (const [start, end, top, text, dub] of spans) {
      const x = this.x(start / 1000);
      const width = Math.max(2, ((end - start) / 1000) * this.scale - 1);
      if (x > this.width || x + width < 0) continue;
      this.drawBlock(context, line, { x, top, width, text, dub });
    }
  }

  drawBlock(context, line, { x, top, width, text, dub }) {
    const colour = this.colours.get(line.speaker);
    const kept = dub && line.flags.includes("kept-original");
    const height = BLOCK - 2;
    context.beginPath();
    context.roundRect(x + 0.5, top + 0.5, width, height, 4);
    context.fillStyle = kept ? this.palette("surface") : this.palette(`s${colour}`);
    context.fill();
    context.setLineDash(kept ? [4, 3] : []);
    context.lineWidth = line.segment === this.selected ? 2.5 : 1;
    context.strokeStyle = line.segment === this.selected ? this.palette("ink") : this.palette(`e${colour}`);
    context.stroke();
    context.setLineDash([]);
    const flagged = dub && (line.findings.length || line.flags.some((flag) => flag !== "kept-original"));
    this.drawMarks(context, line, { x, top, width, flagged: Boolean(flagged), edited: dub && line.edited });
    const from = Math.max(x, 0);
    const room = x + width - from - 12 - (flagged ? 14 : 0) - (dub && line.edited ? 12 : 0);
    if (room < 14) return;
    context.save();
    context.beginPath();
    context.rect(from + 6, top, room, height);
    context.clip();
    context.fillStyle = this.palette("ink");
    context.font = "12px system-ui, sans-serif";
    context.fillText(`${line.speaker}  ${text}`, from + 6, top + 19);
    context.restore();
  }

  /** A triangle for what the gates flagged, a dot for what people changed: told by shape, not by colour alone. */
  drawMarks(context, line, { x, top, width, flagged, edited }) {
    let right = x + width - 4;
    if (flagged && width >= 10) {
      context.fillStyle = this.palette("warn");
      context.beginPath();
      context.moveTo(right - 5, top + 9);
      context.lineTo(right, top + 19);
      context.lineTo(right - 10, top + 19);
      context.fill();
      right -= 14;
    } else if (flagged) {
      context.fillStyle = this.palette("warn");
      context.fillRect(x, top + BLOCK - 5, Math.max(3, width), 4);
    }
    if (edited && width >= 24) {
      context.fillStyle = this.palette("accent");
      context.beginPath();
      context.arc(right - 4, top + 14.5, 4, 0, 2 * Math.PI);
      context.fill();
    }
  }

  drawPlace(context) {
    const x = this.x(this.second);
    context.strokeStyle = this.palette("bad");
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, this.height);
    context.stroke();
  }

  at(second, row) {
    const ms = second * 1000;
    const [from, to] = row === "source" ? ["source_start_ms", "source_end_ms"] : ["start_ms", "end_ms"];
    return this.lines.find((line) => line[from] <= ms && ms < line[to]);
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const second = (event.clientX - box.left + this.scroller.scrollLeft) / this.scale;
    const y = event.clientY - box.top;
    const row = y >= this.rows.source && y < this.rows.source + BLOCK ? "source" : y >= this.rows.dub && y < this.rows.dub + BLOCK ? "dub" : null;
    return { second, line: row && this.at(second, row) };
  }

  click(event) {
    const { second, line } = this.under(event);
    this.touched = performance.now();
    if (line) this.pick(line.segment);
    else this.seek(second);
  }

  point(event) {
    const { line } = this.under(event);
    this.canvas.title = line ? `${line.speaker}: ${line.source_text}\n${line.text}` : "";
    this.canvas.style.cursor = line ? "pointer" : "crosshair";
  }

  wheel(event) {
    this.touched = performance.now();
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.25 : 0.8, this.under(event).second);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (by) this.seek(this.second + by * (event.shiftKey ? 5 : 1));
    else if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.duration);
    else if (event.key === "+") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else return;
    event.preventDefault();
  }
}
