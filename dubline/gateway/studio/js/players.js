// Original and dub side by side, one of them heard. The one that is not heard follows the one that is.
import { h, replace, say, select } from "./dom.js";
import { clock } from "./words.js";

const APART_S = 0.35; // further apart than this it jumps
const NOTICED_S = 0.04; // less than the 45 ms by which sound may lead a picture unnoticed (ITU-R BT.1359)
const MOST_SPEED = 0.1; // nearer, it runs so much faster or slower at most
const CHECK_MS = 200;

/** Hears "time" whenever the place changed. */
export class Players extends EventTarget {
  constructor(signal) {
    super();
    this.original = new Picture("Original", (text) => this.note(text));
    this.dub = new Picture("Dub", (text) => this.note(text));
    this.heard = this.dub;
    this.until = null;
    this.rate = 1;
    this.clips = new Audio();
    this.build();
    const timer = setInterval(() => this.keepTogether(), CHECK_MS);
    signal.addEventListener("abort", () => (clearInterval(timer), this.stop()));
  }

  build() {
    this.playButton = h("button", { type: "button", class: "main play", onclick: () => this.toggle() });
    this.place = h("input", { type: "range", min: "0", max: "1", step: "0.01", value: "0", "aria-label": "Position", oninput: () => this.seek(Number(this.place.value)) });
    this.time = h("span", { class: "number" });
    const heard = (name, picture) => h("label", { class: "check" }, h("input", { type: "radio", name: "heard", value: name, onchange: () => this.listen(picture) }), picture.name);
    this.choice = h("fieldset", { class: "choice" }, h("legend", { class: "hidden" }, "Listen to"), h("span", { class: "label", "aria-hidden": "true" }, "Listen to"), heard("original", this.original), heard("dub", this.dub));
    this.captions = select([["none", "No captions"], ["dub", "Captions of the dub"], ["source", "Captions of the original"]], "none", { "aria-label": "Captions", onchange: () => this.caption() });
    this.speed = select([["0.5", "0.5×"], ["0.75", "0.75×"], ["1", "1×"], ["1.25", "1.25×"], ["1.5", "1.5×"], ["2", "2×"]], "1", { "aria-label": "Speed", onchange: () => this.setRate(Number(this.speed.value)) });
    this.volume = h("input", { type: "range", min: "0", max: "1", step: "0.05", value: "1", "aria-label": "Volume", oninput: () => this.setVolume() });
    const full = h("button", { type: "button", class: "small", onclick: () => this.heard.video.requestFullscreen().catch(() => this.note("This browser shows no full screen here.")) }, "Full screen");
    this.said = h("p", { class: "notice", role: "status", hidden: true });
    this.pair = h("div", { class: "pictures" }, this.original.element, this.dub.element);
    this.element = h("section", { class: "card stack tight players", "aria-label": "Players" }, this.pair,
      h("div", { class: "transport" }, this.playButton, this.place, this.time),
      h("div", { class: "transport second" }, this.choice, this.captions, this.speed, h("span", { class: "volume" }, h("span", { class: "label", "aria-hidden": "true" }, "Volume"), this.volume), full), this.said);
    for (const { video } of [this.original, this.dub]) {
      for (const kind of ["play", "pause", "seeked", "timeupdate", "loadedmetadata", "ended"]) video.addEventListener(kind, (event) => this.happened(event));
    }
    this.listen(this.dub, false);
    this.showState();
  }

  /** Addresses and names of what is published now. The place stays where it was, and playing goes on. */
  show(media) {
    this.duration = media.duration;
    this.place.max = String(media.duration);
    const [second, playing] = [this.second, this.playing];
    const shared = { second: Math.min(second, media.duration) };
    this.original.load({ ...shared, address: media.source, language: media.sourceName, code: media.sourceCode, captions: media.sourceCaptions,
      absent: "The original came from an address and is not kept here to be watched." });
    this.dub.load({ ...shared, address: media.dub, language: media.dubName, code: media.dubCode, captions: media.dubCaptions, absent: "There is no dubbed video." });
    this.pair.classList.toggle("single", !media.source);
    this.choice.querySelector("[value=original]").disabled = !media.source;
    if (!media.source && this.heard === this.original) this.listen(this.dub);
    this.sourceCaptions = media.sourceCaptions;
    this.dub.second("source", media.sourceCaptions, media.sourceCode, media.sourceName);
    this.caption();
    this.setRate(this.rate);
    if (playing) this.play();
    this.showState();
  }

  get follower() {
    return this.heard === this.dub ? this.original : this.dub;
  }

  get playing() {
    return !this.heard.video.paused && !this.heard.video.ended;
  }

  get second() {
    return this.wanted ?? this.heard.video.currentTime;
  }

  async play() {
    this.clips.pause();
    this.said.hidden = true;
    if (this.second >= this.duration - 0.05) this.seek(0);
    try {
      this.follower.play().catch(() => {}); // what it says of itself is enough
      await this.heard.play();
    } catch (error) {
      if (error.name === "NotAllowedError") this.note("The browser lets nothing sound before you press Play.");
    }
  }

  pause() {
    this.until = null;
    this.original.video.pause();
    this.dub.video.pause();
    this.align();
  }

  /** Both pictures at rest show the same moment. */
  align() {
    const second = this.second;
    if (this.follower.usable && Math.abs(this.follower.video.currentTime - second) > NOTICED_S) this.follower.seek(second);
  }

  stop() {
    this.pause();
    this.clips.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(second, keep = false) {
    if (!keep) this.until = null;
    const to = Math.max(0, Math.min(second, this.duration ?? 0));
    this.wanted = to;
    this.original.seek(to);
    this.dub.seek(to);
    this.showTime();
  }

  /** Play from one place to another, and stop there. */
  playSpan(which, from, to) {
    const picture = which === "original" && this.original.usable ? this.original : this.dub;
    this.listen(picture);
    this.seek(from);
    this.until = to;
    return this.play();
  }

  /** One file of sound after the other, with the pictures at rest. */
  async playClips(addresses) {
    this.pause();
    for (const address of addresses) {
      this.clips.src = address;
      this.clips.playbackRate = this.rate;
      this.clips.volume = Number(this.volume.value);
      try {
        await this.clips.play();
      } catch (error) {
        if (error.name === "AbortError") return; // something else is to be heard
        this.note(error.name === "NotAllowedError" ? "The browser lets nothing sound before you press a button." : "This browser cannot play the clip of that line.");
        return;
      }
      const whole = await new Promise((resolve) => {
        this.clips.onended = () => resolve(true);
        this.clips.onpause = () => this.clips.ended || resolve(false);
      });
      if (!whole) return;
    }
  }

  swap() {
    if (this.follower.usable) this.listen(this.follower);
  }

  listen(picture, tell = true) {
    const second = this.second;
    const playing = this.playing;
    this.heard = picture;
    this.original.video.muted = picture !== this.original;
    this.dub.video.muted = picture !== this.dub;
    for (const one of [this.original, this.dub]) one.element.classList.toggle("heard", one === picture);
    this.choice.querySelector(`[value=${picture === this.dub ? "dub" : "original"}]`).checked = true;
    this.setRate(this.rate);
    if (playing && Math.abs(picture.video.currentTime - second) > APART_S) this.seek(second, true);
    if (tell && this.said) say(`Listening to the ${picture.name.toLowerCase()}`);
  }

  setRate(rate) {
    this.rate = rate;
    for (const { video } of [this.original, this.dub]) video.playbackRate = rate;
  }

  setVolume() {
    for (const { video } of [this.original, this.dub]) video.volume = Number(this.volume.value);
    this.clips.volume = Number(this.volume.value);
  }

  caption() {
    const chosen = this.captions.value;
    for (const track of this.dub.video.textTracks) track.mode = track.id === `captions-${chosen}` || (track.id === "captions-own" && chosen === "dub") ? "showing" : "disabled";
    for (const track of this.original.video.textTracks) track.mode = chosen === "source" ? "showing" : "disabled";
  }

  keepTogether() {
    const [lead, follow] = [this.heard.video, this.follower.video];
    if (!this.playing || !this.follower.usable || follow.readyState < 1) return;
    const behind = lead.currentTime - follow.currentTime;
    if (lead.readyState < 3) follow.pause(); // the one that is heard waits for data
    else if (follow.paused && !follow.ended && lead.currentTime < follow.duration) this.follower.play().catch(() => {});
    if (follow.seeking || follow.readyState < 3) return;
    if (Math.abs(behind) > APART_S && lead.currentTime < follow.duration) follow.currentTime = lead.currentTime;
    else if (Math.abs(behind) > NOTICED_S) follow.playbackRate = this.rate * (1 + Math.max(-MOST_SPEED, Math.min(MOST_SPEED, behind)));
    else follow.playbackRate = this.rate;
  }

  happened(event) {
    const mine = event.target === this.heard.video;
    if (mine && event.type === "pause" && !this.follower.video.paused) this.pause();
    if (mine && event.type === "ended") this.pause();
    if (mine && event.type !== "pause" && !event.target.seeking) this.wanted = null;
    if (mine && event.type === "play") this.run();
    this.showState();
  }

  /** While it plays, the place is told with every picture that the browser draws. */
  run() {
    if (this.running) return;
    const step = () => {
      this.running = this.playing;
      if (this.until !== null && this.heard.video.currentTime >= this.until && this.wanted == null) this.pause();
      this.showTime();
      if (this.running) requestAnimationFrame(step);
    };
    this.running = true;
    requestAnimationFrame(step);
  }

  showState() {
    const playing = this.playing;
    if (this.playButton.dataset.playing !== String(playing)) {
      this.playButton.dataset.playing = String(playing);
      replace(this.playButton, h("span", { "aria-hidden": "true" }, playing ? "❚❚" : "▶"), playing ? "Pause" : "Play");
    }
    this.showTime();
  }

  showTime() {
    const text = `${clock(this.second, true)} / ${clock(this.duration ?? 0, true)}`;
    if (this.time.textContent !== text) {
      this.time.textContent = text;
      this.place.value = String(this.second);
      this.place.setAttribute("aria-valuetext", `${clock(this.second)} of ${clock(this.duration ?? 0)}`);
    }
    this.dispatchEvent(new Event("time"));
  }

  note(text) {
    this.said.textContent = text;
    this.said.hidden = false;
  }
}

/** One video with its captions, and words in its place where it cannot be shown. */
class Picture {
  constructor(name, note) {
    Object.assign(this, { name, note, address: undefined, failed: false });
    this.video = h("video", { preload: "metadata", playsinline: true, muted: true });
    this.caption = h("figcaption", {}, name);
    this.instead = h("p", { class: "instead" });
    this.element = h("figure", {}, h("div", { class: "frame" }, this.video, this.instead), this.caption);
    this.video.addEventListener("error", () => this.broken());
  }

  load({ address, language, code, captions, second, absent }) {
    replace(this.caption, h("strong", {}, this.name), ` · ${language}`);
    this.video.setAttribute("aria-label", `${this.name}, ${language}`);
    if (address === this.address) return;
    this.address = address;
    this.failed = false;
    this.video.replaceChildren();
    this.video.hidden = !address;
    this.instead.textContent = address ? "" : absent;
    if (!address) {
      this.video.removeAttribute("src");
      return;
    }
    if (captions) this.video.append(h("track", { id: "captions-own", kind: "captions", src: captions, srclang: code, label: language }));
    this.video.src = address;
    if (second) this.seek(second);
  }

  /** A further track of captions. */
  second(id, captions, code, language) {
    this.video.querySelector(`#captions-${id}`)?.remove();
    if (captions && this.address) this.video.append(h("track", { id: `captions-${id}`, kind: "captions", src: captions, srclang: code, label: language }));
  }

  get usable() {
    return Boolean(this.address) && !this.failed;
  }

  async play() {
    if (this.usable) await this.video.play();
  }

  seek(second) {
    if (!this.usable) return;
    this.then?.abort();
    if (this.video.readyState >= 1) {
      this.video.currentTime = second;
      return;
    }
    this.then = new AbortController();
    this.video.addEventListener("loadedmetadata", () => (this.video.currentTime = second), { once: true, signal: this.then.signal });
  }

  broken() {
    if (!this.address) return;
    this.failed = true;
    this.video.hidden = true;
    this.instead.textContent = `This browser cannot play the ${this.name.toLowerCase()} here; download it to watch it.`;
  }
}
