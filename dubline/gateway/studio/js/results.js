// The newest finished revision in one target language: players, timeline, lines, voices, report, downloads.
import { artifactPath, get, post, profiles, sessionPath } from "./api.js";
import { doing, h, problemPlace, replace, say } from "./dom.js";
import { Downloads } from "./downloads.js";
import { helpDialog } from "./help.js";
import { listen } from "./keys.js";
import { Lines } from "./lines.js";
import { Pending } from "./pending.js";
import { Players } from "./players.js";
import { ReportPanel } from "./report.js";
import { Timeline } from "./timeline.js";
import { Voices } from "./voices.js";
import { languageName } from "./words.js";

export class Results {
  constructor(model, mine) {
    Object.assign(this, { model, mine, language: null, lines: [], selected: null });
    this.problem = problemPlace();
    this.tabs = h("div", { class: "actions", role: "group", "aria-label": "Dub" });
    this.players = new Players(model.signal);
    this.timeline = new Timeline(model.signal, { seek: (second) => this.players.seek(second), pick: (segment) => this.pick(segment, true) });
    this.pending = new Pending(model, (done) => this.ready(done));
    this.list = new Lines(this);
    this.voices = new Voices(this);
    this.report = new ReportPanel((segment) => this.pick(segment, true));
    this.downloads = new Downloads();
    this.parts = h("div", { class: "stack", hidden: true }, this.languagesBar(), this.players.element, this.timeline.element, this.list.element,
      h("div", { class: "halves" }, this.voices.element, this.downloads.element), this.report.element);
    this.element = h("div", { class: "stack" }, this.problem.element, this.parts);
    this.players.addEventListener("time", () => this.moved());
    this.keys();
  }

  /** Fetch what is published now and show it; what people are typing stays. */
  async renew() {
    this.problem.clear();
    const path = sessionPath(this.model.id);
    try {
      const [artifacts, report, offered] = await Promise.all([get(`${path}/artifacts`, this.model.signal), get(`${path}/report`, this.model.signal), profiles()]);
      Object.assign(this, { artifacts, found: report, profile: offered.find((one) => one.name === this.model.session.profile) });
      const dubbed = report.dubs.map((dub) => dub.language);
      if (!dubbed.includes(this.language)) this.language = dubbed[0];
      this.showLanguages(dubbed);
      await this.showDub();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!error.detail) throw error;
      this.problem.show(error);
    }
  }

  async showDub() {
    const language = this.language;
    const path = `${sessionPath(this.model.id)}/languages/${encodeURIComponent(language)}/lines`;
    const asked = (this.asked = Symbol(language));
    const [found, waveform] = await Promise.all([get(path, this.model.signal), this.waveform(language)]);
    if (asked !== this.asked) return; // another language or revision was asked for meanwhile
    this.parts.hidden = false;
    this.revision = found.revision;
    this.lines = found.lines;
    this.speakers = [...new Set(found.lines.map((line) => line.speaker))];
    this.dub = this.found.dubs.find((dub) => dub.language === language);
    if (!this.lines.some((line) => line.segment === this.selected)) this.selected = null;
    this.players.show(this.media());
    this.timeline.show(this.lines, this.speakers, this.found.source.duration_ms / 1000, waveform);
    this.list.show();
    this.voices.show();
    this.report.show(this.found, this.dub, this.lines);
    this.downloads.show(this.artifacts.filter((one) => [null, language].includes(one.language)), (file) => this.at(file, true));
    this.pending.arrived(found.revision, language);
  }

  media() {
    const { session } = this.model;
    const spoken = this.found.source.language || session.source_language || "";
    const of = (role) => this.artifacts.find((one) => one.role === role && [null, this.language].includes(one.language));
    const at = (role) => of(role) && this.at(of(role));
    return {
      dub: at("video"), dubName: languageName(this.language), dubCode: this.language, dubCaptions: at("subtitles-vtt"),
      source: session.source === "upload" ? `${sessionPath(session.id)}/source` : null,
      sourceName: languageName(spoken), sourceCode: spoken, sourceCaptions: at("source-vtt"),
      duration: this.found.source.duration_ms / 1000,
    };
  }

  at(file, save = false) {
    return artifactPath(this.model.id, file.path, this.revision, save);
  }

  /** Loudness over time, where the run published it. */
  async waveform(language) {
    const file = this.artifacts.find((one) => one.role === "waveform" && one.language === language);
    return file ? get(artifactPath(this.model.id, file.path, this.model.session.dubbed), this.model.signal) : null;
  }

  languagesBar() {
    this.adding = h("select", { "aria-label": "Further language" });
    this.add = h("button", { type: "button", onclick: () => this.addLanguage() }, "Dub into this too");
    this.added = h("p", { class: "quiet", "aria-live": "polite" });
    this.more = h("div", { class: "actions further" }, this.adding, this.add);
    return h("div", { class: "heading" }, this.tabs, this.added, this.more);
  }

  showLanguages(dubbed) {
    const press = (code) => () => {
      this.language = code;
      this.list.closeEditors();
      this.showLanguages(dubbed);
      this.showDub().catch((error) => this.problem.show(error));
    };
    replace(this.tabs, dubbed.map((code) => h("button", { type: "button", "aria-pressed": String(code === this.language), onclick: press(code) }, languageName(code))));
    const coming = this.model.session.languages.filter((code) => !dubbed.includes(code));
    this.added.textContent = coming.length ? `${coming.map(languageName).join(", ")}: not finished yet.` : "";
    const from = this.found.source.language;
    const reached = this.profile ? this.profile.pairs[from] ?? [] : [];
    const left = reached.filter((code) => code !== from && !this.model.session.languages.includes(code) && this.profile.voices[code]);
    replace(this.adding, left.map((code) => h("option", { value: code }, languageName(code))));
    this.more.hidden = !this.mine || !left.length;
  }

  addLanguage() {
    return doing(this.add, this.problem, async () => {
      const language = this.adding.value;
      this.model.take(await post(`${sessionPath(this.model.id)}/languages`, { language }));
      this.showLanguages(this.found.dubs.map((dub) => dub.language));
      say(`${languageName(language)} is being dubbed`);
    });
  }

  line(segment) {
    return this.lines.find((line) => line.segment === segment);
  }

  pick(segment, go = false) {
    this.selected = segment;
    this.timeline.select(segment);
    this.list.select(segment, go);
    if (go) this.players.seek(this.line(segment).start_ms / 1000);
  }

  hear(line, which) {
    this.pick(line.segment);
    const [from, to] = which === "original" ? [line.source_start_ms, line.source_end_ms] : [line.start_ms, line.end_ms];
    this.players.playSpan(which, from / 1000, to / 1000);
  }

  /** The voice alone, from the clips as they were spoken. */
  hearClips(line) {
    return this.players.playClips(line.phrases.map((phrase) => artifactPath(this.model.id, phrase.clip, this.revision)));
  }

  /** Lines whose edits are in what is shown now; the one that was saved last is heard. */
  async ready(segments) {
    const busy = this.players.playing;
    for (const segment of segments) this.list.ready(segment);
    const line = this.line(segments.at(-1));
    if (!line) return;
    say(`The line ${this.lines.indexOf(line) + 1} is dubbed again`);
    if (busy) return;
    this.pick(line.segment);
    if (line.phrases.length) await this.hearClips(line);
    else this.hear(line, "dub");
  }

  moved() {
    const second = this.players.second;
    this.timeline.move(second, this.players.playing);
    const ms = second * 1000;
    this.list.mark(this.lines.find((line) => line.start_ms <= ms && ms < line.end_ms)?.segment);
  }

  keys() {
    const step = (by) => (event) => this.players.seek(this.players.second + by * (event.shiftKey ? 5 : 1));
    const chosen = (work) => () => this.line(this.selected) && work(this.line(this.selected));
    listen({
      " ": () => this.players.toggle(), ArrowLeft: step(-1), ArrowRight: step(1),
      j: () => this.list.step(1), k: () => this.list.step(-1), n: () => this.list.step(1, true), p: () => this.list.step(-1, true),
      o: chosen((line) => this.hear(line, "original")), d: chosen((line) => this.hear(line, "dub")),
      e: chosen((line) => this.list.edit(line.segment)), m: () => this.players.swap(),
      "+": () => this.timeline.zoom(1.5), "-": () => this.timeline.zoom(1 / 1.5), "?": helpDialog,
    }, this.model.signal);
  }
}
