// How far a run has come: its share, what is left, each stage, and what the quality gates have found so far.
import { h, replace, say } from "./dom.js";
import { STATES, left, percent, stageName } from "./words.js";

const MARKS = { waiting: "○", running: "◐", done: "✓", cached: "↺", failed: "✕" };
const SAID = { waiting: "waiting", running: "at work", done: "done", cached: "taken from before", failed: "failed" };

export class ProgressPanel {
  constructor(model) {
    this.model = model;
    this.bar = h("progress", { max: "1", "aria-label": "Progress" });
    this.now = h("strong", {});
    this.left = h("span", { class: "quiet number" });
    this.stages = h("ol", { class: "stages" });
    this.found = h("p", { class: "quiet" });
    this.lost = h("p", { class: "notice", hidden: true }, "The connection to the gateway is lost; this page tries to get it back.");
    this.element = h("section", { class: "card stack tight", "aria-label": "Progress" },
      h("div", { class: "heading" }, this.now, this.left), this.bar,
      h("details", { open: true }, h("summary", {}, "Stages"), this.stages), this.found, this.lost);
    for (const kind of ["session", "progress", "connection"]) model.addEventListener(kind, () => this.soon());
    this.show();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => ((this.frame = undefined), this.show()));
  }

  show() {
    const { session, stages, warnings, connected, active } = this.model;
    this.lost.hidden = connected;
    this.element.hidden = !active && connected;
    this.bar.value = session.fraction;
    this.now.textContent = whatIsDone(session);
    const share = stages.get(session.stage)?.fraction ?? 0;
    this.left.textContent = [percent(session.fraction), left(session, share)].filter(Boolean).join(", ");
    this.stages.parentElement.hidden = stages.size === 0;
    this.showStages([...stages.values()]);
    this.found.textContent = foundSoFar(warnings);
    this.tell(session);
  }

  showStages(stages) {
    while (this.stages.children.length > stages.length) this.stages.lastChild.remove();
    stages.forEach((stage, place) => {
      const item = this.stages.children[place] ?? this.stages.appendChild(h("li", {}, h("span", { "aria-hidden": "true" }), h("span", {}), h("span", { class: "quiet number" })));
      const [mark, name, state] = item.children;
      item.className = stage.state;
      mark.textContent = MARKS[stage.state] ?? "";
      name.textContent = stageName(stage.name);
      state.textContent = stage.state === "running" && stage.fraction > 0 ? percent(stage.fraction) : SAID[stage.state];
    });
  }

  /** Each quarter and each change of state, for those who listen. */
  tell(session) {
    const quarter = Math.floor(session.fraction * 4) * 25;
    const told = `${STATES[session.state]}${session.state === "running" && quarter ? `, ${quarter} percent` : ""}`;
    if (this.told !== undefined && this.told !== told) say(told);
    this.told = told;
  }
}

export function whatIsDone(session) {
  if (session.state === "queued") return "Waiting for a place";
  if (session.state === "running") return session.stage ? stageName(session.stage) : "Starting";
  return STATES[session.state];
}

function foundSoFar(warnings) {
  if (!warnings.length) return "";
  const critical = warnings.filter((one) => one.severity === "critical").length;
  const review = warnings.length - critical;
  const parts = [critical && `${critical} critical`, review && `${review} to review`].filter(Boolean);
  const lines = new Set(warnings.flatMap((one) => one.lines)).size;
  return `The quality gates have found so far: ${parts.join(", ")}${lines ? `, in ${lines} line${lines > 1 ? "s" : ""}` : ""}.`;
}
