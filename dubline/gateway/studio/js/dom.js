// Elements from code. Texts become text nodes, so nothing that a person wrote is ever read as HTML.

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "muted") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

let counted = 0;

/** A labelled control. `control` is an input, select or textarea. */
export function field(label, control, hint) {
  control.id ||= `field-${++counted}`;
  const said = hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint);
  if (said) control.setAttribute("aria-describedby", said.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, said);
}

export function check(label, attributes = {}) {
  const input = h("input", { type: "checkbox", ...attributes });
  return { input, element: h("label", { class: "check" }, input, label) };
}

/** A select of [value, label] pairs. */
export function select(options, chosen, attributes = {}) {
  const element = h("select", attributes, options.map(([value, label]) => h("option", { value }, label)));
  if (chosen !== undefined) element.value = chosen;
  return element;
}

/** Tell those who listen to the page rather than look at it. */
export function say(text) {
  const region = document.getElementById("said");
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

/** A place for what went wrong, beside what caused it. */
export function problemPlace() {
  const element = h("p", { class: "problem", role: "alert" });
  return {
    element,
    show: (error) => (element.textContent = error.detail || error.message || String(error)),
    clear: () => (element.textContent = ""),
  };
}

/** Run what a button asks for, with the button off meanwhile and what goes wrong in `place`. */
export async function doing(button, place, work) {
  place.clear();
  button.disabled = true;
  try {
    return await work();
  } catch (error) {
    place.show(error);
    return undefined;
  } finally {
    button.disabled = false;
  }
}
