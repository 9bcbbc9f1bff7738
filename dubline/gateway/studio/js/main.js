// The page: who is signed in, and which view the address asks for.
import { account, get, post } from "./api.js";
import { createView } from "./create.js";
import { h, replace } from "./dom.js";
import { helpDialog } from "./help.js";
import { news } from "./jobs.js";
import { say } from "./dom.js";
import { listView } from "./list.js";
import { sessionView } from "./session.js";
import { signInView } from "./signin.js";

const SIGNED_IN = "dubline-signed-in"; // the cookie itself no script can see
const content = document.getElementById("content");
const state = { me: null, leaving: new AbortController() };

const ROUTES = [
  [/^#\/sessions\/([0-9a-f]{32})$/, (root, context, id) => sessionView(root, context, id)],
  [/^#\/new$/, createView],
  [/^(#\/?)?$/, listView],
];

const may = (permission) => Boolean(state.me?.permissions.includes(permission));

async function show() {
  if (location.hash === "#content") return;
  state.leaving.abort();
  state.leaving = new AbortController();
  document.querySelectorAll("dialog").forEach((dialog) => dialog.remove());
  if (!state.me) {
    signInView(content, signedIn);
    return;
  }
  const context = { me: state.me, may, signal: state.leaving.signal };
  const [view, found] = match(location.hash);
  mark();
  replace(content, h("p", { class: "quiet" }, "Loading"));
  try {
    await view(content, context, ...found);
  } catch (error) {
    if (context.signal.aborted) return;
    const again = h("button", { type: "button", onclick: show }, "Try again");
    replace(content, h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, "This cannot be shown"),
      h("p", { class: "problem", role: "alert" }, error.detail || "Something went wrong in this page; reload it."), h("div", {}, again)));
    if (!error.detail) console.error(error);
  }
  if (context.signal.aborted) return;
  const title = content.querySelector("h1");
  document.title = title ? `${title.textContent} · Dubline` : "Dubline";
  title?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function match(hash) {
  for (const [pattern, view] of ROUTES) {
    const found = hash.match(pattern);
    if (found) return [view, found.slice(1)];
  }
  return [(root) => replace(root, h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "To the sessions")))), []];
}

function mark() {
  for (const link of document.querySelectorAll("#nav a")) {
    const here = link.getAttribute("href") === (location.hash || "#/");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.hidden = Boolean(link.dataset.may) && !may(link.dataset.may);
  }
}

function signedIn(me) {
  state.me = me;
  localStorage.setItem(SIGNED_IN, "yes");
  document.getElementById("nav").hidden = document.getElementById("account").hidden = false;
  document.getElementById("who").textContent = `${me.tenant} · ${me.role}`;
  show();
}

function signedOut() {
  state.me = null;
  localStorage.removeItem(SIGNED_IN);
  document.getElementById("nav").hidden = document.getElementById("account").hidden = true;
  show();
}

account.addEventListener("signed-out", () => state.me && signedOut());
addEventListener("hashchange", show);
news.addEventListener("made", (event) => say(`${event.detail.title} was handed in.`));
document.getElementById("help").addEventListener("click", helpDialog);
document.getElementById("sign-out").addEventListener("click", () => post("/v1/sign-out").catch(() => {}).finally(signedOut));

if (localStorage.getItem(SIGNED_IN)) get("/v1/me").then(signedIn, signedOut);
else show();
