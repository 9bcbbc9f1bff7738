// What is known of one session, and what is heard of it: every change is an event that the parts of the view hear.
import { get, sessionPath } from "./api.js";

const KINDS = ["state", "stage", "progress", "warning", "edit", "result"];
const LOOK_BACK = 200; // events before the last one, for what the gates have found in the present run
const RETRY_MS = 5000;
export const ACTIVE = ["queued", "running", "cancelling"];

/** Hears "session", "progress", "published" (a new revision is there), "connection" and "gone". */
export class SessionModel extends EventTarget {
  constructor(id, signal) {
    super();
    Object.assign(this, { id, signal, session: null, stages: new Map(), warnings: [], connected: true, seen: 0 });
    signal.addEventListener("abort", () => this.close());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.reopen()), { signal });
  }

  get active() {
    return ACTIVE.includes(this.session.state);
  }

  async load() {
    const path = sessionPath(this.id);
    const [session, stages] = await Promise.all([get(path, this.signal), get(`${path}/stages`, this.signal)]);
    this.stages = new Map(stages.map((stage) => [stage.name, stage]));
    this.take(session);
    if (!this.seen) this.seen = Math.max(0, session.last_event - LOOK_BACK);
  }

  /** Read it again, soon: several events in a row cost one question. */
  refresh() {
    this.timer ??= setTimeout(async () => {
      this.timer = undefined;
      try {
        this.take(await get(sessionPath(this.id), this.signal));
      } catch (error) {
        if (error.status === 404) this.dispatchEvent(new Event("gone"));
        else if (error.name !== "AbortError") this.retry = setTimeout(() => this.refresh(), RETRY_MS);
      }
    }, 120);
  }

  take(session) {
    const before = this.session?.dubbed ?? null;
    const first = this.session === null;
    this.session = session;
    this.dispatchEvent(new Event("session"));
    if (!first && session.dubbed !== before) this.dispatchEvent(new Event("published"));
  }

  follow() {
    if (this.stream || this.signal.aborted || document.hidden) return;
    const stream = (this.stream = new EventSource(`${sessionPath(this.id)}/events?after=${this.seen}`));
    for (const kind of KINDS) stream.addEventListener(kind, (event) => this.hear(kind, event));
    stream.addEventListener("open", () => this.connection(true));
    stream.addEventListener("error", () => {
      this.connection(false);
      if (stream.readyState !== EventSource.CLOSED) return; // it comes back by itself
      this.close();
      this.refresh(); // says why: signed out, deleted, or a gateway that is away
      setTimeout(() => this.follow(), RETRY_MS);
    });
  }

  close() {
    this.stream?.close();
    this.stream = null;
  }

  /** Browsers allow few connections to a host, so a page that nobody sees holds none. */
  reopen() {
    this.refresh();
    this.follow();
  }

  connection(connected) {
    if (this.connected === connected) return;
    this.connected = connected;
    this.dispatchEvent(new Event("connection"));
  }

  hear(kind, event) {
    this.seen = Number(event.lastEventId) || this.seen;
    const { data } = JSON.parse(event.data);
    if (kind === "stage") this.hearStage(data);
    else if (kind === "progress") Object.assign(this.session, data);
    else if (kind === "warning") this.warnings.push(data);
    else this.refresh();
    if (kind === "state" && data.state === "queued") this.forgetRun();
    this.dispatchEvent(new Event("progress"));
  }

  hearStage(stage) {
    this.stages.set(stage.name, stage);
    if (stage.state === "running") this.session.stage = stage.name;
  }

  forgetRun() {
    this.stages.clear();
    this.warnings = [];
    Object.assign(this.session, { fraction: 0, eta_s: null, stage: null });
  }
}

