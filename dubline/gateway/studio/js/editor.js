// The form in which a line is changed. Only what is other than before is sent.
import { ask, linePath } from "./api.js";
import { check, doing, field, h, problemPlace, select } from "./dom.js";
import { voiceName } from "./words.js";

const FIELDS = { text: "text", source_text: "source_text", voice: "voice", start_ms: "start", end_ms: "end", keep_original: "kept" };

export class Editor {
  constructor(results, line, { saved, closed }) {
    Object.assign(this, { results, line, saved, closed });
    const kept = line.flags.includes("kept-original");
    this.text = h("textarea", { rows: "2", maxlength: "1000", lang: results.language, value: line.text });
    this.source_text = h("textarea", { rows: "2", maxlength: "1000", lang: results.found.source.language, value: line.source_text });
    this.voice = this.voices();
    this.start = seconds(line.source_start_ms);
    this.end = seconds(line.source_end_ms);
    this.kept = check("Keep the original's sound in this line", { checked: kept });
    this.before = this.values();
    this.problem = problemPlace();
    this.save = h("button", { class: "main" }, "Save and dub again");
    this.undo = h("button", { type: "button", hidden: !line.edited, onclick: () => this.takeBack() }, "Take all changes back");
    this.element = h("form", { class: "editor stack tight", novalidate: true, "aria-label": `Edit the line: ${line.source_text}`, onsubmit: (event) => this.submit(event) },
      h("div", { class: "pair" }, field("Said in the original", this.source_text, "Changed here, the line is translated again."), field("Translation, as it is spoken", this.text)),
      h("div", { class: "quad" }, field("Voice of this line", this.voice), field("Begins in the original (s)", this.start), field("Ends there (s)", this.end), this.kept.element),
      this.problem.element,
      h("div", { class: "actions" }, this.save, this.undo, h("button", { type: "button", onclick: closed }, "Close")));
    this.element.addEventListener("input", () => this.problem.clear());
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  voices() {
    const offered = this.results.profile?.voices[this.results.language] ?? [];
    const options = offered.map((voice) => [voice.id, voiceName(voice)]);
    if (!offered.some((voice) => voice.id === this.line.voice)) options.unshift([this.line.voice, this.line.voice || "none"]);
    return select(options, this.line.voice);
  }

  values() {
    return {
      text: this.text.value.trim(), source_text: this.source_text.value.trim(), voice: this.voice.value,
      start_ms: milliseconds(this.start), end_ms: milliseconds(this.end), keep_original: this.kept.input.checked,
    };
  }

  changes() {
    const now = this.values();
    const changed = Object.entries(now).filter(([name, value]) => value !== this.before[name]);
    const body = Object.fromEntries(changed);
    if ("start_ms" in body || "end_ms" in body) Object.assign(body, { start_ms: now.start_ms, end_ms: now.end_ms });
    return body;
  }

  async submit(event) {
    event.preventDefault();
    this.marked?.removeAttribute("aria-invalid");
    const body = this.changes();
    if (!Object.keys(body).length) return this.problem.show(new Error("Nothing is changed yet."));
    const unset = ["text", "source_text"].find((name) => body[name] === "");
    if (unset) return this.refuse(new Error("A line needs a text; to leave it undubbed, keep the original's sound."), unset);
    if ("start_ms" in body && !(body.end_ms > body.start_ms)) return this.refuse(new Error("The line has to end after it begins."), "end_ms");
    await this.send(this.save, "PATCH", body);
  }

  takeBack() {
    return this.send(this.undo, "DELETE");
  }

  async send(button, method, body) {
    const { results, line } = this;
    const session = await doing(button, this.problem, async () => {
      try {
        return await ask(method, linePath(results.model.id, results.language, line.segment), { body });
      } catch (error) {
        this.mark(error.fields?.[0]?.at.split(".").pop());
        throw error;
      }
    });
    if (session) this.saved(session);
  }

  refuse(error, name) {
    this.problem.show(error);
    this.mark(name);
  }

  mark(name) {
    const control = this[FIELDS[name]];
    if (!control?.setAttribute) return;
    this.marked = control;
    control.setAttribute("aria-invalid", "true");
    control.focus();
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.element.requestSubmit();
    else if (event.key === "Escape") this.closed();
    else return;
    event.preventDefault();
  }

  focus() {
    this.text.focus();
  }
}

const seconds = (ms) => h("input", { type: "number", min: "0", step: "0.01", inputmode: "decimal", value: (ms / 1000).toFixed(3).replace(/0$/, "") });
const milliseconds = (input) => Math.round(Number(input.value) * 1000);
