// The form in which a key or a token becomes a cookie.
import { post } from "./api.js";
import { doing, field, h, problemPlace, replace } from "./dom.js";

export function signInView(root, signedIn) {
  const problem = problemPlace();
  const credential = h("input", { type: "password", name: "credential", autocomplete: "current-password", required: true, spellcheck: "false" });
  const button = h("button", { class: "main" }, "Sign in");
  const submit = (event) => {
    event.preventDefault();
    doing(button, problem, async () => signedIn(await post("/v1/sign-in", { credential: credential.value })));
  };
  const form = h("form", { class: "card stack", onsubmit: submit },
    h("h1", { tabindex: "-1" }, "Sign in"),
    field("API key or token", credential, "Whoever runs this Dubline gives you one. This browser stays signed in for some hours."),
    problem.element, h("div", { class: "actions" }, button));
  replace(root, h("div", { class: "sign-in" }, form));
  document.title = "Sign in · Dubline";
  credential.focus();
}
