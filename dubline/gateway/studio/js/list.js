// The list of sessions, with what is being uploaded on top. It is asked for again every few seconds while it is seen.
import { get } from "./api.js";
import { field, h, problemPlace, replace, select } from "./dom.js";
import { cancel, current, news, retry } from "./jobs.js";
import { STATES, bytes, clock, languageName, left, percent, stageName, when } from "./words.js";

const EVERY_MS = 3000;
const ACTIVE = ["queued", "running", "cancelling"];

export async function listView(root, { may, signal }) {
  const view = new List(may, signal);
  await view.load();
  replace(root, view.element);
  view.keepUp();
}

class List {
  constructor(may, signal) {
    Object.assign(this, { may, signal, found: [], next: null, pages: 1 });
    const again = () => this.load(true);
    this.text = h("input", { type: "search", oninput: later(again, 250), placeholder: "Part of the title" });
    this.state = select([["", "All states"], ...Object.entries(STATES).filter(([name]) => name !== "deleting")], "", { onchange: again });
    this.language = h("input", { type: "text", maxlength: "20", placeholder: "es", oninput: later(again, 250) });
    this.problem = problemPlace();
    this.jobs = h("div", { class: "stack tight" });
    this.list = h("ul", { class: "list card", "aria-label": "Sessions" });
    this.more = h("button", { type: "button", onclick: () => (this.pages++, this.load()) }, "Show more");
    this.element = h("div", { class: "stack" },
      h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, "Sessions"),
        may("sessions:write") && h("a", { class: "button main", href: "#/new" }, "New dub")),
      this.jobs,
      h("div", { class: "filters", role: "search" }, field("Title", this.text), field("State", this.state), field("Into language (code)", this.language)),
      this.problem.element, this.list, h("div", {}, this.more));
    news.addEventListener("changed", () => this.showJobs(), { signal });
    news.addEventListener("made", () => this.load(), { signal });
    this.showJobs();
  }

  async load(afresh = false) {
    if (afresh) this.pages = 1;
    const asked = (this.asked = Symbol("asked"));
    const filters = { text: this.text.value.trim(), state: this.state.value, language: this.language.value.trim() };
    const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
    try {
      const found = [];
      let next = null;
      for (let page = 0; page < this.pages && (page === 0 || next); page++) {
        if (next) query.set("cursor", next);
        const answer = await get(`/v1/sessions?${query}`, this.signal);
        found.push(...answer.sessions);
        next = answer.next;
      }
      if (asked !== this.asked) return; // a later question was answered meanwhile
      this.problem.clear();
      this.show(found, next, query.size > 0);
    } catch (error) {
      if (error.name !== "AbortError") this.problem.show(error);
    }
  }

  keepUp() {
    const timer = setInterval(() => document.hidden || this.load(), EVERY_MS);
    this.signal.addEventListener("abort", () => clearInterval(timer));
  }

  show(found, next, filtered) {
    const known = new Map([...this.list.children].map((row) => [row.dataset.id, row]));
    const rows = found.map((session) => {
      const row = known.get(session.id) ?? h("li", { "data-id": session.id });
      const state = JSON.stringify(session);
      if (row.known !== state) replace(row, ...rowOf(session)), (row.known = state);
      return row;
    });
    const same = rows.length === this.list.children.length && rows.every((row, place) => row === this.list.children[place]);
    if (!rows.length) replace(this.list, this.nothing(filtered));
    else if (!same) this.list.replaceChildren(...rows); // else the focus stays where it is
    this.more.hidden = !next;
  }

  nothing(filtered) {
    if (filtered) return h("li", { class: "empty" }, h("p", { class: "quiet" }, "No session is like that."));
    const write = this.may("sessions:write");
    return h("li", { class: "empty" }, h("p", { class: "quiet" }, write ? "Nothing has been dubbed here yet." : "Nothing has been dubbed here yet, and your key may only watch."),
      write && h("a", { class: "button main", href: "#/new" }, "Dub the first video"));
  }

  showJobs() {
    const known = new Map([...this.jobs.children].map((card) => [card.job, card]));
    const cards = current().map((job) => known.get(job) ?? jobCard(job));
    if (cards.length !== this.jobs.children.length || cards.some((card, place) => card !== this.jobs.children[place])) this.jobs.replaceChildren(...cards);
    cards.forEach((card) => card.update());
  }
}

function rowOf(session) {
  const active = ACTIVE.includes(session.state);
  const facts = [
    session.source_language ? `${languageName(session.source_language)} → ${session.languages.map(languageName).join(", ")}` : session.languages.map(languageName).join(", "),
    session.duration_s !== null && clock(session.duration_s),
    session.flagged ? `${session.flagged} to look at` : null,
    when(session.created),
  ];
  return [
    h("a", { class: "title", href: `#/sessions/${session.id}` }, session.title),
    h("div", { class: "facts" }, facts.filter(Boolean).map((fact) => h("span", {}, fact))),
    h("div", { class: "side" }, h("span", { class: `badge ${session.state}` }, STATES[session.state]),
      active && h("progress", { max: "1", value: session.fraction, "aria-label": `Progress of ${session.title}` }),
      active && h("span", { class: "quiet number" }, percent(session.fraction), session.eta_s !== null ? `, ${left(session)}` : session.stage ? `, ${stageName(session.stage)}` : "")),
    session.error && h("p", { class: "below problem" }, session.error.message),
  ].filter(Boolean);
}

function jobCard(job) {
  const bar = h("progress", { max: job.size, "aria-label": `Upload of ${job.file.name}` });
  const said = h("span", { class: "quiet number" });
  const problem = problemPlace();
  const again = h("button", { type: "button", class: "small", onclick: () => retry(job) }, "Try again");
  const stop = h("button", { type: "button", class: "small", "aria-label": `Cancel the upload of ${job.file.name}`, onclick: () => cancel(job) }, "Cancel");
  const card = h("section", { class: "card job", "aria-label": `Upload of ${job.file.name}` },
    h("div", { class: "heading" }, h("strong", {}, job.file.name), h("div", { class: "actions" }, said, again, stop)), bar, problem.element);
  card.job = job;
  card.update = () => {
    bar.value = job.sent;
    said.textContent = { sending: `Uploading: ${bytes(job.sent)} of ${bytes(job.size)}, ${percent(job.sent / job.size)}`, creating: "Handing in", stopped: `Stopped at ${percent(job.sent / job.size)}` }[job.state];
    again.hidden = job.state !== "stopped";
    stop.hidden = job.state === "creating";
    if (job.error) problem.show(job.error);
    else problem.clear();
  };
  return card;
}

function later(work, ms) {
  let timer;
  return () => (clearTimeout(timer), (timer = setTimeout(work, ms)));
}
