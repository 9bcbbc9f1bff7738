// Uploads by the tus protocol 1.0.0: a lost connection, a gateway that restarts or a reloaded page cost one piece.
import { ask, problem, unreachable } from "./api.js";

const PIECE = 8 * 1024 * 1024;
const PATIENCE = 8; // attempts in a row without a byte that arrived: some two minutes
const LONGEST_MS = 30_000;
const TUS = { "Tus-Resumable": "1.0.0" };

const storageKey = (file) => `dubline-upload:${file.name}:${file.size}:${file.lastModified}`;

/** Send the whole file; its upload's id. `told` hears how many bytes have arrived, `signal` ends it. */
export async function send(file, told, signal) {
  let failures = 0;
  for (;;) {
    try {
      const upload = await beginOrResume(file, signal);
      told(upload.offset);
      while (upload.offset < file.size) {
        upload.offset = await sendPiece(file, upload, told, signal);
        failures = 0;
      }
      return upload.path.split("/").pop();
    } catch (error) {
      if (signal.aborted || !mayPass(error) || ++failures >= PATIENCE) throw error;
      await pause(Math.max(error.retryAfter * 1000, Math.min(LONGEST_MS, 500 * 2 ** failures)), signal);
    }
  }
}

/** Remove what has arrived. */
export async function discard(file) {
  const path = localStorage.getItem(storageKey(file));
  localStorage.removeItem(storageKey(file));
  if (path) await ask("DELETE", path, { headers: TUS }).catch(() => {}); // it expires by itself all the same
}

export const forget = (file) => localStorage.removeItem(storageKey(file));

function mayPass(error) {
  return error.status === 0 || error.status >= 500 || error.status === 409 || error.status === 429;
}

async function beginOrResume(file, signal) {
  const known = localStorage.getItem(storageKey(file));
  if (known) {
    const found = await state(known, signal);
    if (found) return found;
  }
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` };
  const response = await raw("POST", "/v1/uploads", headers, undefined, signal);
  const path = new URL(response.getResponseHeader("Location"), location.href).pathname;
  localStorage.setItem(storageKey(file), path);
  return { path, offset: 0 };
}

async function state(path, signal) {
  try {
    const response = await ask("HEAD", path, { headers: TUS, signal });
    return { path, offset: Number(response.headers.get("Upload-Offset")) };
  } catch (error) {
    if (error.status === 404 || error.status === 410) return null; // expired, or made into a session
    throw error;
  }
}

/** One piece; the offset that the server then has. */
async function sendPiece(file, upload, told, signal) {
  const piece = file.slice(upload.offset, upload.offset + PIECE);
  const headers = { ...TUS, "Upload-Offset": String(upload.offset), "Content-Type": "application/offset+octet-stream" };
  const response = await raw("PATCH", upload.path, headers, piece, signal, (sent) => told(upload.offset + sent));
  return Number(response.getResponseHeader("Upload-Offset"));
}

/** XMLHttpRequest, as fetch does not say how much of a body was sent. */
function raw(method, path, headers, body, signal, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const end = () => request.abort();
    request.open(method, path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (told) request.upload.addEventListener("progress", (event) => told(event.loaded));
    request.addEventListener("load", () => (request.status < 300 ? resolve(request) : reject(refusal(request))));
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", end));
    signal.addEventListener("abort", end);
    if (signal.aborted) reject(new DOMException("Cancelled", "AbortError"));
    else request.send(body);
  });
}

function refusal(request) {
  let found = {};
  try {
    found = JSON.parse(request.responseText);
  } catch {
    // no problem document
  }
  return problem(request.status, found, Number(request.getResponseHeader("Retry-After")) || 0);
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
