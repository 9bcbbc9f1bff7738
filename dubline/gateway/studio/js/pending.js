// Edits that were saved and are not in the dub yet: each waits for the revision it made.
import { whatIsDone } from "./progress.js";
import { left, percent } from "./words.js";

export class Pending {
  constructor(model, ready) {
    Object.assign(this, { model, ready, waiting: new Map(), watchers: new Set() });
    for (const kind of ["session", "progress"]) model.addEventListener(kind, () => this.tell());
  }

  /** `session` is the gateway's answer to an edit of `segment`. */
  add(language, segment, session) {
    const key = `${language} ${segment}`;
    this.waiting.delete(key); // so that the last one saved stands last
    this.waiting.set(key, { language, segment, wanted: session.revision });
    this.model.take(session);
  }

  has(language, segment) {
    return this.waiting.has(`${language} ${segment}`);
  }

  /** What was not in the dub was taken back. */
  clear() {
    this.waiting.clear();
    this.tell();
  }

  /** That revision is shown now, in that language. */
  arrived(revision, shown) {
    const done = [...this.waiting].filter(([, { wanted }]) => wanted <= revision);
    done.forEach(([key]) => this.waiting.delete(key));
    const here = done.filter(([, { language }]) => language === shown).map(([, { segment }]) => segment);
    if (here.length) this.ready(here);
    this.tell();
  }

  tell() {
    this.watchers.forEach((watcher) => watcher());
  }

  /** What is being done for an edit, in a sentence. */
  sentence() {
    const { session } = this.model;
    if (session.error) return `Saved, but it could not be dubbed: ${session.error.message} ${session.error.retryable ? "Resume the session to try again." : "Change it once more, or take the last changes back."}`;
    if (session.state === "cancelled") return "Saved, but the run was cancelled. Resume the session to go on.";
    const rest = session.state === "running" && session.eta_s !== null ? `, ${left(session)}` : "";
    return `Saved. ${whatIsDone(session)}${session.state === "running" ? `: ${percent(session.fraction)}${rest}` : ""}. You will hear the new line as soon as it is there.`;
  }
}
