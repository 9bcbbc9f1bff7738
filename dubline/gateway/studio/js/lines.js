// The list of lines: read, heard, filtered and opened for editing. A row stays while its line does, with what is typed in it.
import { check, field, h, replace, say } from "./dom.js";
import { Editor } from "./editor.js";
import { clock, flagMeaning, flagName } from "./words.js";

export class Lines {
  constructor(results) {
    this.results = results;
    this.rows = new Map();
    this.flagged = check("Flagged only", { onchange: () => this.filter() });
    this.speaker = h("select", { onchange: () => this.filter() });
    this.text = h("input", { type: "search", oninput: () => this.filter() });
    this.follow = check("Follow the playback", { checked: true });
    this.count = h("span", { class: "quiet" });
    this.list = h("ol", { class: "lines", "aria-label": "Lines" });
    this.element = h("section", { class: "card stack tight", "aria-label": "Lines" },
      h("div", { class: "heading" }, h("h2", {}, "Lines"), this.count),
      h("div", { class: "line-filters" }, field("Text", this.text), field("Speaker", this.speaker), this.flagged.element, this.follow.element),
      this.list);
    results.pending.watchers.add(() => this.rows.forEach((row) => row.showStatus()));
  }

  show() {
    const { lines, speakers } = this.results;
    const kept = new Map(this.rows);
    this.rows.clear();
    lines.forEach((line, place) => {
      const row = kept.get(line.segment) ?? new Row(this.results, this);
      row.show(line, place + 1);
      this.rows.set(line.segment, row);
    });
    const elements = [...this.rows.values()].map((row) => row.element);
    if (elements.length !== this.list.children.length || elements.some((one, place) => one !== this.list.children[place])) this.list.replaceChildren(...elements);
    const before = this.speaker.value;
    replace(this.speaker, h("option", { value: "" }, "All speakers"), speakers.map((name) => h("option", { value: name }, name)));
    this.speaker.value = speakers.includes(before) ? before : "";
    this.filter();
    this.select(this.results.selected);
  }

  filter() {
    const wanted = this.text.value.trim().toLocaleLowerCase();
    let seen = 0;
    for (const row of this.rows.values()) {
      const { line } = row;
      const text = `${line.source_text} ${line.text}`.toLocaleLowerCase();
      const shown = (!this.flagged.input.checked || isFlagged(line)) && (!this.speaker.value || line.speaker === this.speaker.value) && text.includes(wanted);
      row.element.hidden = !shown && !row.editor;
      seen += shown;
    }
    const flagged = this.results.lines.filter(isFlagged).length;
    this.count.textContent = `${seen === this.rows.size ? this.rows.size : `${seen} of ${this.rows.size}`} lines, ${flagged} flagged`;
  }

  select(segment, go = false) {
    for (const [name, row] of this.rows) row.element.classList.toggle("selected", name === segment);
    const row = this.rows.get(segment);
    if (row && go) row.element.scrollIntoView({ block: "nearest" });
  }

  /** The line that is heard now. */
  mark(segment) {
    if (segment === this.marked) return;
    this.rows.get(this.marked)?.element.classList.remove("current");
    this.marked = segment;
    const row = this.rows.get(segment);
    row?.element.classList.add("current");
    if (row && this.follow.input.checked && this.results.players.playing && !this.list.contains(document.activeElement)) keepInSight(this.list, row.element);
  }

  step(by, flaggedOnly = false) {
    const { lines, selected } = this.results;
    const shown = lines.filter((line) => !this.rows.get(line.segment).element.hidden && (!flaggedOnly || isFlagged(line)));
    if (!shown.length) return;
    const here = lines.findIndex((line) => line.segment === selected);
    const next = by > 0 ? shown.find((line) => lines.indexOf(line) > here) : shown.findLast((line) => here < 0 || lines.indexOf(line) < here);
    if (!next) return;
    this.results.pick(next.segment, true);
    const row = this.rows.get(next.segment);
    row.element.focus({ preventScroll: true });
    say(`Line ${lines.indexOf(next) + 1}, ${next.speaker}: ${next.text}`);
  }

  edit(segment) {
    const row = this.rows.get(segment);
    row.element.hidden = false;
    row.open();
  }

  ready(segment) {
    this.rows.get(segment)?.ready();
  }

  closeEditors() {
    this.rows.forEach((row) => row.close());
    this.rows.clear();
  }
}

class Row {
  constructor(results, list) {
    Object.assign(this, { results, list, editor: null, status: null });
    this.what = h("div", { class: "line" });
    this.said = h("p", { class: "status", role: "status", hidden: true });
    this.element = h("li", { tabindex: "-1" }, this.what, this.said);
  }

  show(line, number) {
    this.line = line;
    const { results } = this;
    const colour = results.speakers.indexOf(line.speaker) % 8;
    const button = (label, spoken, work) => h("button", { type: "button", class: "small", "aria-label": `${spoken}, line ${number}`, onclick: work }, label);
    const focused = this.what.contains(document.activeElement) ? document.activeElement.textContent : null;
    replace(this.what,
      h("div", { class: "who" },
        h("button", { type: "button", class: "small number", "aria-label": `Go to line ${number}, ${clock(line.start_ms / 1000)}`, onclick: () => results.pick(line.segment, true) }, h("span", { class: "quiet" }, `${number}`), clock(line.start_ms / 1000, true)),
        h("span", { class: `speaker c${colour}` }, line.speaker), h("span", { class: "quiet voice" }, line.flags.includes("kept-original") ? "" : line.voice)),
      h("p", { class: "text", lang: results.found.source.language }, line.source_text),
      h("p", { class: "text", lang: results.language }, line.text, this.marks(line)),
      h("div", { class: "actions" },
        results.players.original.address && button("▶ Original", "Hear the original", () => results.hear(line, "original")),
        button("▶ Dub", "Hear the dub", () => results.hear(line, "dub")),
        results.mine && button("Edit", "Edit", () => this.open())));
    if (focused) [...this.what.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
  }

  marks(line) {
    const findings = this.results.dub.findings;
    const of = (rule) => findings.find((one) => one.rule === rule && one.subjects.some((subject) => subject.split(".")[0] === line.segment));
    const marks = [
      line.edited && h("span", { class: "badge running" }, "● edited"),
      ...line.flags.map((flag) => h("span", { class: flag === "kept-original" ? "badge" : "badge review", title: flagMeaning(flag) }, flag === "kept-original" ? flagName(flag) : `▲ ${flagName(flag)}`)),
      ...line.findings.map((rule) => {
        const finding = of(rule);
        const critical = finding?.severity === "critical";
        return h("span", { class: `badge ${critical ? "critical" : "review"}`, title: finding?.message ?? "" }, `${critical ? "✕" : "▲"} ${flagName(rule)}`);
      }),
    ].filter(Boolean);
    return marks.length ? h("span", { class: "marks" }, marks) : null;
  }

  open() {
    this.results.pick(this.line.segment);
    if (!this.editor) {
      this.editor = new Editor(this.results, this.line, { saved: (session) => this.saved(session), closed: () => this.close(true) });
      this.element.append(this.editor.element);
      this.status = null;
      this.showStatus();
    }
    this.editor.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  close(focus = false) {
    this.editor?.element.remove();
    this.editor = null;
    if (focus) this.element.focus();
    this.list.filter();
  }

  saved(session) {
    this.close(true);
    this.status = null;
    this.results.pending.add(this.results.language, this.line.segment, session);
    this.showStatus();
  }

  ready() {
    this.status = this.line.phrases.length ? "Dubbed again. The voice alone is heard first; ▶ Dub plays it in the mix." : "Dubbed again: the original is heard in this line.";
    this.showStatus();
  }

  showStatus() {
    const waits = this.results.pending.has(this.results.language, this.line.segment);
    const text = waits ? this.results.pending.sentence() : this.status;
    this.said.hidden = !text;
    this.said.classList.toggle("good", !waits);
    if (text && this.said.textContent !== text) this.said.textContent = text;
  }
}

export const isFlagged = (line) => line.findings.length > 0 || line.flags.some((flag) => flag !== "kept-original");

/** Scroll the list alone; the page stays where people have put it. */
function keepInSight(list, element) {
  const [outer, inner] = [list.getBoundingClientRect(), element.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}
