// What the keyboard can do, and whether single keys do it.
import { check, h } from "./dom.js";
import { KEYS, enabled, setEnabled } from "./keys.js";

export function helpDialog() {
  const single = check("Use these single keys", { checked: enabled(), onchange: (event) => setEnabled(event.target.checked) });
  const keys = KEYS.flatMap(([shown, meaning]) => [h("dt", {}, shown.map((key, place) => [place ? " " : "", h("kbd", {}, key)]).flat()), h("dd", {}, meaning)]);
  openDialog("Keyboard", (close) => [
    h("p", { class: "quiet" }, "In a session, while no field or button has the focus:"),
    h("dl", { class: "keys" }, keys), single.element,
    h("div", { class: "actions" }, h("button", { type: "button", class: "main", onclick: close }, "Close")),
  ]);
}

/** A modal dialog with a title; it is gone once it is closed. */
export function openDialog(title, content) {
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" });
  dialog.append(h("div", { class: "stack" }, h("h2", { id: "dialog-title" }, title), content(() => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask before something that cannot be taken back. */
export function confirmed(title, text, label) {
  return new Promise((resolve) => {
    const dialog = openDialog(title, (close) => [
      h("p", {}, text),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "danger", onclick: () => (dialog.returnValue = "yes", close()) }, label),
        h("button", { type: "button", autofocus: true, onclick: close }, "No, keep it")),
    ]);
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}
