// The gateway's API. What goes wrong arrives as a Problem (RFC 9457) whose `detail` is a sentence for people.

export class Problem extends Error {
  constructor(status, code, detail, fields = [], retryAfter = 0) {
    super(detail);
    Object.assign(this, { status, code, detail, fields, retryAfter });
  }
}

const UNREACHABLE = "The gateway does not answer; check the connection and try again.";

/** Hears "signed-out" as soon as the gateway no longer knows who is asking. */
export const account = new EventTarget();

export async function problemOf(response) {
  const after = Number(response.headers.get("Retry-After")) || 0;
  let found = {};
  try {
    found = await response.json();
  } catch {
    // a proxy in between answered, and not with a problem document
  }
  return problem(response.status, found, after);
}

export function problem(status, found, after = 0) {
  if (status === 401) account.dispatchEvent(new Event("signed-out"));
  const detail = found.detail || `The gateway answered with status ${status}; try again.`;
  return new Problem(status, found.code || "unknown", detail, found.fields || [], after);
}

export async function ask(method, path, { body, headers = {}, signal } = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, {
      method, signal, credentials: "same-origin", headers: { ...json, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", UNREACHABLE);
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 || method === "HEAD" ? response : response.json();
}

export const get = (path, signal) => ask("GET", path, { signal });
export const post = (path, body, headers) => ask("POST", path, { body, headers });

export const unreachable = () => new Problem(0, "unreachable", UNREACHABLE);

export const sessionPath = (id) => `/v1/sessions/${encodeURIComponent(id)}`;

/** Where a published file is. Its revision keeps browsers from playing the one before. */
export function artifactPath(id, path, revision, save = false) {
  const quoted = path.split("/").map(encodeURIComponent).join("/");
  return `${sessionPath(id)}/artifacts/${quoted}?revision=${revision}${save ? "&download=true" : ""}`;
}

export const linePath = (id, language, segment) =>
  `${sessionPath(id)}/languages/${encodeURIComponent(language)}/lines/${encodeURIComponent(segment)}`;

/** Hex digits nobody can guess; crypto.randomUUID is missing where the page came over plain http. */
export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let offered;

/** Profiles with their languages, voices and licences: asked for once. */
export function profiles() {
  offered ??= get("/v1/profiles").catch((error) => {
    offered = undefined;
    throw error;
  });
  return offered;
}
