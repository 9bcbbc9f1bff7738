// The form for a new dub.
import { post, profiles, randomKey } from "./api.js";
import { check, doing, field, h, problemPlace, replace, say, select } from "./dom.js";
import { begin } from "./jobs.js";
import { bytes, languageName, nonCommercial, voiceName } from "./words.js";

export async function createView(root, { may, signal }) {
  if (!may("sessions:write")) {
    replace(root, h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, "New dub"), h("p", { class: "notice" }, "Your key may watch, but not create.")));
    return;
  }
  const offered = await profiles();
  if (signal.aborted) return;
  replace(root, new Create(offered, signal).element);
}

class Create {
  constructor(offered, signal) {
    this.offered = offered;
    this.problem = problemPlace();
    this.source = new SourcePart(signal);
    this.title = h("input", { type: "text", maxlength: "300" });
    this.profile = select(offered.map((one) => [one.name, one.name]), offered[0]?.name, { onchange: () => this.showProfile() });
    this.about = h("div", { class: "stack tight", "aria-live": "polite" });
    this.from = h("select", { onchange: () => this.showLanguages() });
    this.languages = h("fieldset", {});
    this.track = h("input", { type: "text", maxlength: "200" });
    this.burn = check("Also a video with the subtitles burned in");
    this.days = h("input", { type: "number", min: "1", max: "3650", inputmode: "numeric" });
    this.voices = h("div", { class: "stack tight" });
    this.button = h("button", { class: "main" }, "Dub it");
    this.element = h("form", { class: "create stack", novalidate: true, onsubmit: (event) => this.submit(event), onchange: () => this.problem.clear() },
      h("h1", { tabindex: "-1" }, "New dub"),
      this.section("Video", this.source.element, field("Title", this.title, "The file's name when left empty.")),
      this.section("Languages", h("div", { class: "pair" }, field("Spoken in the video", this.from)), this.languages),
      this.section("Engines", field("Profile", this.profile), this.about),
      this.section("More", this.burn.element,
        h("div", { class: "pair" }, field("Audio track", this.track, "Its number, from 1 on, or its title. Found by language and voices when left empty.")),
        h("div", { class: "pair" }, field("Delete after (days)", this.days, "As this Dubline is set up when left empty.")),
        h("details", { class: "stack tight" }, h("summary", {}, "Choose voices beforehand"),
          h("p", { class: "quiet" }, "Voices are cast by themselves, and can be changed for each speaker and line once the dub is there. Speakers are S1, S2 and so on, in the order in which they begin to speak."),
          this.voices, h("div", {}, h("button", { type: "button", class: "small", onclick: () => this.addVoice() }, "Add a voice")))),
      this.problem.element, h("div", { class: "actions" }, this.button, h("a", { class: "button", href: "#/" }, "Back")));
    this.showProfile();
    if (!offered.length) this.problem.show(new Error("No profile works on the machines that translate; ask an operator to run: dubline models pull."));
  }

  section(title, ...content) {
    return h("section", { class: "card stack", "aria-label": title }, h("h2", {}, title), content);
  }

  get chosen() {
    return this.offered.find((one) => one.name === this.profile.value);
  }

  showProfile() {
    const chosen = this.chosen;
    if (!chosen) return;
    const restricted = Object.entries(chosen.licences).filter(([, licence]) => nonCommercial(licence));
    replace(this.about, h("p", { class: "quiet" }, chosen.description),
      restricted.length > 0 && h("p", { class: "notice" }, `Not for commercial use: ${restricted.map(([model, licence]) => `${model} (${licence})`).join(", ")}.`),
      h("details", {}, h("summary", {}, "Models and licences"),
        h("ul", { class: "licences" }, Object.entries(chosen.licences).map(([model, licence]) => h("li", {}, `${model}: ${licence}`)))));
    const sources = Object.keys(chosen.pairs).sort(byName);
    const before = this.from.value;
    replace(this.from, h("option", { value: "" }, "Found by listening"), sources.map((code) => h("option", { value: code }, languageName(code))));
    this.from.value = sources.includes(before) ? before : "";
    this.showLanguages();
    this.voices.replaceChildren();
  }

  showLanguages() {
    const before = this.targets;
    const { pairs, voices } = this.chosen;
    const from = this.from.value;
    const reached = from ? pairs[from] ?? [] : Object.values(pairs).flat();
    const targets = [...new Set(reached)].filter((code) => code !== from && voices[code]).sort(byName);
    const boxes = targets.map((code) => check(languageName(code), { value: code, name: "language", checked: before.includes(code) }).element);
    replace(this.languages, h("legend", {}, "Dub into"), h("div", { class: "choices" }, boxes.length ? boxes : h("p", { class: "quiet" }, "This profile translates nothing out of that language.")));
  }

  get targets() {
    return [...this.languages.querySelectorAll("input:checked")].map((box) => box.value);
  }

  addVoice() {
    const voices = this.chosen.voices;
    const language = select(Object.keys(voices).sort(byName).map((code) => [code, languageName(code)]), this.targets[0]);
    const voice = h("select", { name: "voice" });
    const fill = () => replace(voice, voices[language.value].map((one) => h("option", { value: one.id }, voiceName(one))));
    language.addEventListener("change", fill);
    fill();
    const speaker = h("input", { type: "text", maxlength: "100", value: `S${this.voices.children.length + 1}` });
    const row = h("div", { class: "voice-row" }, field("Speaker", speaker), field("Language", language), field("Voice", voice),
      h("button", { type: "button", class: "small", "aria-label": "Remove this voice", onclick: () => row.remove() }, "Remove"));
    row.value = () => ({ speaker: speaker.value, language: language.value, voice: voice.value });
    this.voices.append(row);
    speaker.focus();
  }

  body() {
    const optional = { title: this.title.value.trim(), source_language: this.from.value, track: this.track.value.trim(), keep_days: Number(this.days.value) || "" };
    return {
      languages: this.targets, profile: this.profile.value, burn_in: this.burn.input.checked,
      voices: [...this.voices.children].map((row) => row.value()),
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== "")),
    };
  }

  async submit(event) {
    event.preventDefault();
    const { file, url } = this.source;
    if (!file && !url) return this.refuse("Choose a video file, or give its address.", this.source.first);
    if (!this.targets.length) return this.refuse("Choose at least one language to dub into.", this.languages.querySelector("input"));
    await doing(this.button, this.problem, async () => {
      if (file) {
        begin(file, this.body());
        say(`Uploading ${file.name}`);
        location.hash = "#/";
      } else {
        const made = await post("/v1/sessions", { ...this.body(), source: { url } }, { "Idempotency-Key": this.keyFor(url) });
        location.hash = `#/sessions/${made.id}`;
      }
    });
  }

  /** The same for as long as the same is asked for: sent again after a lost answer, it makes no second session. */
  keyFor(url) {
    const asked = JSON.stringify([url, this.body()]);
    if (asked !== this.asked) [this.asked, this.key] = [asked, randomKey()];
    return this.key;
  }

  refuse(text, control) {
    this.problem.show(new Error(text));
    control?.focus();
  }
}

class SourcePart {
  constructor(signal) {
    this.input = h("input", { type: "file", accept: "video/*,.mkv,.ts,.m4v,.mts,.m2ts,.m2t,.vob,.mxf,.dv,.nut,.wtv,.gxf,.rm,.rmvb,.ogm", id: "file", onchange: () => this.take(this.input.files[0]) });
    this.address = h("input", { type: "url", placeholder: "https://", maxlength: "2000", id: "address" });
    this.chosen = h("p", { class: "hint quiet", "aria-live": "polite" }, "An upload that was cut off goes on where it was when the same file is chosen again.");
    const drop = h("div", { class: "drop" }, h("label", { for: "file" }, "Video file"), this.input, this.chosen);
    const over = (on) => (event) => (event.preventDefault(), drop.classList.toggle("over", on));
    drop.addEventListener("dragover", over(true), { signal });
    drop.addEventListener("dragleave", over(false), { signal });
    drop.addEventListener("drop", (event) => (over(false)(event), this.take(event.dataTransfer.files[0])), { signal });
    this.element = h("div", { class: "stack tight" }, drop, field("or its address", this.address, "Fetched by the workers. Dubs of an address have no original to watch beside them."));
  }

  take(file) {
    this.given = file;
    if (file) this.chosen.textContent = `${file.name}, ${bytes(file.size)}`;
  }

  get file() {
    return this.given?.size ? this.given : null;
  }

  get url() {
    return this.file ? "" : this.address.value.trim();
  }

  get first() {
    return this.input;
  }
}

const byName = (a, b) => languageName(a).localeCompare(languageName(b));
