// What the quality gates found and measured, and what the run was made with.
import { h, replace } from "./dom.js";
import { isFlagged } from "./lines.js";
import { flagName, nonCommercial, stageName } from "./words.js";

export class ReportPanel {
  constructor(pick) {
    this.pick = pick;
    this.body = h("div", { class: "stack" });
    this.element = h("section", { class: "card stack", "aria-label": "Quality" }, h("h2", {}, "Quality"), this.body);
  }

  show(report, dub, lines) {
    const numbers = new Map(lines.map((line, place) => [line.segment, place + 1]));
    replace(this.body, tiles(dub, lines), dub.findings.length ? this.findings(dub, numbers) : h("p", {}, "The quality gates found nothing to look at."),
      dub.measures?.length > 0 && measures(dub.measures),
      h("div", { class: "halves" }, engines(report.engines ?? []), stages(report.stages ?? [])));
  }

  findings(dub, numbers) {
    const lineOf = (subject) => subject.split(".")[0];
    const place = (segment) => {
      if (!numbers.has(segment)) return h("span", {}, segment);
      return h("button", { type: "button", class: "small", "aria-label": `Go to line ${numbers.get(segment)}`, onclick: () => this.pick(segment) }, String(numbers.get(segment)));
    };
    const row = (finding) => h("tr", {},
      h("td", {}, h("span", { class: `badge ${finding.severity}` }, finding.severity === "critical" ? "✕ critical" : "▲ review")),
      h("td", { class: "text" }, finding.message, h("span", { class: "quiet" }, ` ${finding.suite}, ${flagName(finding.rule)}`)),
      h("td", {}, h("div", { class: "actions" }, finding.subjects?.length ? [...new Set(finding.subjects.map((one) => (numbers.has(lineOf(one)) ? lineOf(one) : one)))].map(place) : "all")));
    return table("Findings", ["Severity", "What was found", "Lines"], dub.findings.map(row));
  }
}

function tiles(dub, lines) {
  const spoken = lines.filter((line) => line.phrases.length);
  const tile = (value, label) => h("div", {}, h("dt", {}, label), h("dd", {}, String(value)));
  const critical = dub.findings.filter((finding) => finding.severity === "critical").length;
  return h("dl", { class: "tiles" }, tile(`${spoken.length} of ${lines.length}`, "lines spoken"), tile(lines.filter(isFlagged).length, "lines to look at"), tile(critical, "critical findings"), tile(lines.filter((line) => line.edited).length, "lines edited"));
}

function measures(found) {
  const row = (one) => h("tr", {}, h("th", { scope: "row" }, one.name), h("td", { class: "number" }, one.value), h("td", { class: "number" }, one.goal), h("td", {}, one.reference));
  return table("Measures", ["Measure", "Value", "Goal", "Others reach"], found.map(row));
}

function engines(found) {
  if (!found.length) return null;
  const item = (one) => h("tr", {}, h("th", { scope: "row" }, one.capability),
    h("td", { class: "text" }, `${one.engine} ${one.model}`, h("span", { class: "quiet" }, ` ${one.licence}`), nonCommercial(one.licence) && h("p", { class: "notice" }, one.note || "Not for commercial use.")));
  return h("div", {}, table("Made with", ["", "Engine, model and licence"], found.map(item)));
}

function stages(found) {
  if (!found.length) return null;
  const row = (one) => h("tr", {}, h("th", { scope: "row" }, stageName(one.stage)), h("td", { class: "number" }, one.cached ? "from before" : `${one.seconds.toFixed(1)} s`));
  return h("details", {}, h("summary", {}, "Time of each stage"), table("Stages", ["Stage", "Took"], found.map(row)));
}

function table(title, heads, rows) {
  return h("div", { class: "stack tight" }, h("h3", {}, title),
    h("div", { class: "scroll", role: "region", "aria-label": title, tabindex: "0" },
      h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, rows))));
}
