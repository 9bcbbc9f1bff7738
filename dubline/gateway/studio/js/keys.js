// Single keys of a session's view. They can be switched off, and never take a key from a field or a button.

export const KEYS = [
  [["Space"], "Play or pause"],
  [["←", "→"], "One second back or on; with Shift five"],
  [["j", "k"], "Next or previous line"],
  [["n", "p"], "Next or previous line that a quality gate flagged"],
  [["o"], "Hear the line in the original"],
  [["d"], "Hear the line in the dub"],
  [["e"], "Edit the line"],
  [["Esc"], "Close the editor without saving"],
  [["m"], "Listen to the other of original and dub"],
  [["+", "−"], "Zoom the timeline"],
  [["?"], "This help"],
];

const OFF = "dubline-keys-off";
export const enabled = () => !localStorage.getItem(OFF);
export const setEnabled = (on) => (on ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes"));

/** Call `actions[key]` until `signal` ends it. */
export function listen(actions, signal) {
  document.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || !enabled() || event.ctrlKey || event.metaKey || event.altKey || taken(event)) return;
    event.preventDefault();
    action(event);
  }, { signal });
}

function taken(event) {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return true;
  const field = event.target.closest?.("input, textarea, select, [contenteditable], [role=slider]");
  const pressed = event.key === " " && event.target.closest?.("button, a, summary");
  return Boolean(field || pressed);
}
