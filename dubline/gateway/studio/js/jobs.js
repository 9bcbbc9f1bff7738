// What is being created: a video that is uploaded and then becomes a session. Goes on whichever view is open.
import { post, randomKey } from "./api.js";
import { discard, forget, send } from "./tus.js";

const jobs = [];

/** Hears "changed", and "made" with the new session as `detail`. */
export const news = new EventTarget();

export const current = () => [...jobs];

/** Upload `file`, then create a session of it with `body`. */
export function begin(file, body) {
  const job = { file, body, key: randomKey(), sent: 0, size: file.size, state: "sending", error: null, ending: new AbortController() };
  jobs.push(job);
  work(job);
  return job;
}

export function retry(job) {
  job.ending = new AbortController();
  work(job);
}

export async function cancel(job) {
  job.ending.abort();
  remove(job);
  await discard(job.file);
}

async function work(job) {
  update(job, { state: "sending", error: null });
  try {
    const upload = await send(job.file, (sent) => update(job, { sent }), job.ending.signal);
    update(job, { state: "creating", sent: job.size });
    const session = await post("/v1/sessions", { ...job.body, source: { upload } }, { "Idempotency-Key": job.key });
    forget(job.file);
    remove(job);
    news.dispatchEvent(new CustomEvent("made", { detail: session }));
  } catch (error) {
    if (error.name !== "AbortError") update(job, { state: "stopped", error });
  }
}

function update(job, values) {
  Object.assign(job, values);
  news.dispatchEvent(new Event("changed"));
}

function remove(job) {
  const place = jobs.indexOf(job);
  if (place >= 0) jobs.splice(place, 1);
  news.dispatchEvent(new Event("changed"));
}

addEventListener("beforeunload", (event) => {
  if (jobs.length) event.preventDefault(); // the browser asks whether to leave
});
