// Which voice each speaker has, and another one.
import { ask, sessionPath } from "./api.js";
import { doing, h, problemPlace, replace, say, select } from "./dom.js";
import { voiceName } from "./words.js";

export class Voices {
  constructor(results) {
    this.results = results;
    this.problem = problemPlace();
    this.waiting = new Map(); // speaker -> the revision that has the new voice
    this.rows = h("ul", { class: "voices" });
    this.status = h("p", { class: "status", role: "status", hidden: true });
    this.element = h("section", { class: "card stack tight", "aria-label": "Voices" }, h("h2", {}, "Voices"), this.rows, this.problem.element, this.status);
    results.pending.watchers.add(() => this.showStatus());
  }

  show() {
    const { speakers, lines, revision } = this.results;
    for (const [speaker, wanted] of this.waiting) if (wanted <= revision) this.waiting.delete(speaker);
    replace(this.rows, speakers.map((speaker, place) => this.row(speaker, place, lines.filter((line) => line.speaker === speaker))));
    this.showStatus();
  }

  row(speaker, place, lines) {
    const { results } = this;
    const spoken = lines.filter((line) => line.phrases.length);
    const voice = mostUsed(spoken.map((line) => line.voice));
    const offered = results.profile?.voices[results.language] ?? [];
    const options = offered.map((one) => [one.id, voiceName(one)]);
    if (voice && !offered.some((one) => one.id === voice)) options.unshift([voice, voice]);
    const choice = select(options, voice, { "aria-label": `Voice of ${speaker}`, disabled: !results.mine });
    const change = h("button", { type: "button", class: "small", disabled: true, "aria-label": `Use this voice for ${speaker}` }, "Use it");
    choice.addEventListener("change", () => (change.disabled = choice.value === voice));
    change.addEventListener("click", () => this.change(change, speaker, choice.value));
    const sample = spoken[0] && h("button", { type: "button", class: "small", "aria-label": `Hear ${speaker}`, onclick: () => results.hearClips(spoken[0]) }, "▶ Hear");
    return h("li", {}, h("span", { class: `speaker c${place % 8}` }, speaker), h("span", { class: "quiet" }, `${lines.length} line${lines.length === 1 ? "" : "s"}`), choice, h("div", { class: "actions" }, sample, results.mine && change));
  }

  async change(button, speaker, voice) {
    const { model, language } = this.results;
    const path = `${sessionPath(model.id)}/languages/${encodeURIComponent(language)}/speakers/${encodeURIComponent(speaker)}`;
    const session = await doing(button, this.problem, () => ask("PUT", path, { body: { voice } }));
    if (!session) return;
    button.disabled = true;
    this.waiting.set(speaker, session.revision);
    model.take(session);
    say(`${speaker} is dubbed with another voice`);
    this.showStatus();
  }

  showStatus() {
    this.status.hidden = this.waiting.size === 0;
    if (this.waiting.size) this.status.textContent = `${[...this.waiting.keys()].join(", ")}: ${this.results.pending.sentence().replace("the new line", "the new voice").replace("hear", "have")}`;
  }
}

function mostUsed(voices) {
  const counts = new Map();
  for (const voice of voices) counts.set(voice, (counts.get(voice) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
