// What things are called, and how figures are written.

const names = new Intl.DisplayNames(["en"], { type: "language" });

export function languageName(code) {
  try {
    return code ? names.of(code) : "unknown language";
  } catch {
    return code;
  }
}

/** 75.3 -> 1:15, with tenths where `precise`. */
export function clock(seconds, precise = false) {
  const value = Math.max(0, precise ? Math.floor(seconds * 10 + 1e-6) / 10 : Math.floor(seconds));
  const hours = Math.floor(value / 3600);
  const minutes = Math.floor((value % 3600) / 60);
  const rest = precise ? (value % 60).toFixed(1).padStart(4, "0") : String(Math.floor(value % 60)).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function lasting(seconds) {
  if (seconds < 20) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return `about ${(seconds / 3600).toFixed(1)} h`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  const value = count / 1000 ** step;
  return `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

export const percent = (fraction) => `${Math.floor(Math.min(1, fraction) * 100 + 1e-9)} %`;

export function when(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export const STATES = {
  queued: "Queued", running: "Running", cancelling: "Cancelling", done: "Done", failed: "Failed", cancelled: "Cancelled",
  deleting: "Deleting",
};

const STAGES = {
  ingest: "Taking the video in", "extract-audio": "Extracting the sound", "survey-tracks": "Listening into the sound tracks",
  "identify-language": "Telling the language", "order-frames": "Putting the pictures in order", "check-media": "Checking the media",
  transcribe: "Transcribing", diarize: "Telling speakers apart", separate: "Parting voices from music",
  attribute: "Assigning words to speakers", "check-segments": "Checking the lines", "check-transcript": "Checking the transcript",
  "subtitle-source": "Subtitling the original", translate: "Translating", "check-translation": "Checking the translation",
  "plan-speech": "Planning the speech", synthesize: "Speaking",
  "check-speech": "Checking the speech", place: "Placing the speech", "check-timeline": "Checking the timing", mix: "Mixing",
  subtitle: "Subtitling the dub", mux: "Writing the video", "burn-in": "Burning subtitles in", "check-output": "Checking the result",
  publish: "Publishing",
};

/** `translate-es` -> Translating, Spanish. */
export function stageName(stage) {
  if (STAGES[stage]) return STAGES[stage];
  const base = Object.keys(STAGES).filter((name) => stage.startsWith(`${name}-`)).sort((a, b) => b.length - a.length)[0];
  return base ? `${STAGES[base]}, ${languageName(stage.slice(base.length + 1))}` : stage;
}

const MODELS = /^(transcribe|diarize|separate|translate|synthesize)(-|$)/;

/** What is left of a run, or what is being done as long as nothing can be said of that. */
export function left(session, share = 0) {
  if (session.state !== "running") return "";
  if (session.eta_s !== null) return `${lasting(session.eta_s)} left`;
  return session.stage && MODELS.test(session.stage) && !share ? "loading models" : "preparing";
}

/** What can help a session that failed, or whose last changes did: what its error says, and what was at fault. */
export function remedy(session) {
  const { error, state } = session;
  if (state === "cancelled") return "resume";
  if (!error) return null;
  if (error.retryable) return "resume";
  if (session.dubbed !== null) return "back";
  return ["invalid-request", "unsupported-language", "invalid-media", "infected-media", "gate-failed", "engine-failed"].includes(error.code) ? "new" : null;
}

const FLAGS = {
  "kept-original": ["original kept", "The original voice is heard here: it was asked for, or the line has no room or cannot be spoken."],
  late: ["late", "Starts noticeably after the original."],
  early: ["early", "Starts noticeably before the original."],
  "part-silent": ["part silent", "The translation has fewer words than the original has phrases: during some the dub is silent."],
};

export const flagName = (flag) => FLAGS[flag]?.[0] ?? flag.replaceAll(/[-_]/g, " ");
export const flagMeaning = (flag) => FLAGS[flag]?.[1] ?? "";

export const ROLES = {
  video: "Dubbed video", "video-burned": "Dubbed video, subtitles burned in", "subtitles-srt": "Subtitles .srt",
  "subtitles-vtt": "Subtitles .vtt", "subtitles-ass": "Subtitles .ass", "source-srt": "Original's subtitles .srt",
  "source-vtt": "Original's subtitles .vtt", "source-ass": "Original's subtitles .ass", "report-html": "Quality report .html",
  "report-json": "Quality report .json", cast: "Cast",
};

export const voiceName = (voice) => `${voice.id} (${voice.register}${voice.native ? "" : ", not native"})`;

export const nonCommercial = (licence) => /-NC\b|non-?commercial/i.test(licence);
