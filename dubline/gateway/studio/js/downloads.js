// The published files, to be saved.
import { h, replace } from "./dom.js";
import { ROLES } from "./words.js";

export class Downloads {
  constructor() {
    this.list = h("ul", { class: "downloads" });
    this.element = h("section", { class: "card stack tight", "aria-label": "Downloads" }, h("h2", {}, "Downloads"), this.list);
  }

  /** `at` gives a file's address. */
  show(files, at) {
    const offered = files.filter((file) => ROLES[file.role]);
    replace(this.list, offered.map((file) => h("li", {}, h("a", { href: at(file), download: true }, ROLES[file.role]), h("span", { class: "quiet" }, ` ${file.path}`))));
  }
}
