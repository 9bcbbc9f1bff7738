// The view of one session: what it is, how far it has come, and its results.
import { ask, post, sessionPath } from "./api.js";
import { doing, h, problemPlace, replace } from "./dom.js";
import { confirmed } from "./help.js";
import { SessionModel } from "./model.js";
import { ProgressPanel } from "./progress.js";
import { Results } from "./results.js";
import { STATES, clock, languageName, remedy, when } from "./words.js";

export async function sessionView(root, { me, may, signal }, id) {
  const model = new SessionModel(id, signal);
  await model.load();
  if (signal.aborted) return;
  const mine = model.session.owner === me.subject ? may("sessions:write") : may("sessions:operate");
  const view = new SessionPage(model, mine);
  replace(root, view.element);
  model.addEventListener("gone", () => (location.hash = "#/"));
  await view.showResults();
  model.follow();
}

class SessionPage {
  constructor(model, mine) {
    Object.assign(this, { model, mine });
    this.badge = h("span", { class: "badge" });
    this.facts = h("p", { class: "quiet facts-line" });
    this.link = h("a", { class: "button", target: "_blank", rel: "noopener noreferrer" }, "Run in Prefect", h("span", { "aria-hidden": "true" }, "↗"), h("span", { class: "hidden" }, " (opens another tab)"));
    this.another = h("a", { class: "button main", href: "#/new" }, "New dub");
    this.problem = problemPlace();
    this.failure = h("p", { class: "problem" });
    this.warnings = h("div", { class: "notice" });
    this.buttons = {
      cancel: this.button("Cancel the run", () => post(`${sessionPath(model.id)}/cancel`)),
      back: this.button("Take the changes back", () => this.takeBack()),
      resume: this.button("Resume", () => post(`${sessionPath(model.id)}/resume`)),
      remove: this.button("Delete", () => this.remove(), "danger"),
    };
    this.results = h("div", { class: "stack" });
    this.element = h("div", { class: "stack session" },
      h("header", { class: "stack tight" },
        h("div", { class: "heading" }, h("div", { class: "titled" }, h("h1", { tabindex: "-1" }, model.session.title), this.badge),
          h("div", { class: "actions" }, this.link, this.another, Object.values(this.buttons))),
        this.facts),
      this.problem.element, this.failure, this.warnings, new ProgressPanel(model).element, this.results);
    model.addEventListener("session", () => this.show());
    model.addEventListener("published", () => this.showResults());
    this.show();
  }

  button(label, work, kind = "") {
    const button = h("button", { type: "button", class: kind }, label);
    button.addEventListener("click", () => doing(button, this.problem, async () => {
      const session = await work();
      if (session?.id) this.model.take(session);
    }));
    return button;
  }

  async takeBack() {
    const session = await post(`${sessionPath(this.model.id)}/take-back`);
    this.shown?.pending.clear();
    return session;
  }

  async remove() {
    const sure = await confirmed("Delete this session?", "Its video, its dubs and all edits are removed for everybody. This cannot be taken back.", "Delete it");
    if (!sure) return;
    await ask("DELETE", sessionPath(this.model.id));
    location.hash = "#/";
  }

  show() {
    const { session } = this.model;
    this.badge.className = `badge ${session.state}`;
    this.badge.textContent = STATES[session.state];
    this.facts.textContent = [
      `${session.source_language ? languageName(session.source_language) : "Language found by listening"} → ${session.languages.map(languageName).join(", ")}`,
      session.duration_s !== null && clock(session.duration_s), `profile ${session.profile}`,
      session.revision > 0 && `revision ${session.revision}`, `created ${when(session.created)}`,
      session.expires && `kept until ${when(session.expires)}`,
    ].filter(Boolean).join(" · ");
    this.link.hidden = !/^https?:\/\//.test(session.run ?? "");
    if (!this.link.hidden) this.link.href = session.run;
    this.buttons.cancel.hidden = !this.mine || !["queued", "running"].includes(session.state);
    const helps = this.mine ? remedy(session) : null;
    const ended = ["failed", "cancelled", "done"].includes(session.state);
    const behind = session.dubbed !== null && (session.error || session.state === "cancelled") && session.revision > session.dubbed;
    this.buttons.resume.hidden = !this.mine || !(session.error || session.state === "cancelled") || !ended;
    this.buttons.back.hidden = !this.mine || !ended || !behind;
    this.another.hidden = helps !== "new";
    for (const [name, wanted] of [["resume", "resume"], ["back", "back"]]) this.buttons[name].classList.toggle("main", helps === wanted);
    this.buttons.remove.hidden = !this.mine;
    this.failure.hidden = !session.error;
    const served = session.dubbed !== null ? "The last changes could not be dubbed; what was finished before them is shown. " : "";
    this.failure.textContent = session.error ? `${served}${session.error.message}` : "";
    this.warnings.hidden = !session.warnings.length;
    replace(this.warnings, session.warnings.map((text) => h("p", {}, text)));
  }

  async showResults() {
    if (this.model.session.dubbed === null) return;
    if (this.shown) {
      await this.shown.renew();
      return;
    }
    this.shown = new Results(this.model, this.mine);
    await this.shown.renew();
    replace(this.results, this.shown.element);
  }
}
