// Talking to the API: where it is, who calls, what went wrong in plain words, and events as they come.
import { $ } from "./dom.js";

// Where the API is: as the page is told, else beside the page, which may stand behind a gateway's stage (/prod/).
export const elsewhere = document.querySelector('meta[name="api-base"]').content.replace(/\/$/, "");
export const base = elsewhere || location.pathname.replace(/\/[^/]*$/, "");

// `serve` prints an address with a token in its fragment: kept for this tab, and gone from the address bar.
export function takeToken() {
  const given = /^#token=([^&/]+)(.*)$/.exec(location.hash);
  if (!given) return false;
  sessionStorage.setItem("token", decodeURIComponent(given[1]));
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

function headers(more) {
  const token = sessionStorage.getItem("token");
  // A gateway takes keys, the server itself tokens; the page does not know which of them answers.
  const signed = token ? { "x-api-key": token, authorization: `Bearer ${token}` } : {};
  return { ...signed, ...more };
}

export class Problem extends Error {
  constructor(body, status) {
    super(body.detail || `The server answered ${status}.`);
    Object.assign(this, { kind: body.kind, status, wait: body.retry_after, partial: body.partial, field: body.field });
  }
}

export async function call(path, { method = "GET", body, headers: more, signal } = {}) {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(base + path, { method, signal, keepalive: method === "DELETE", headers: headers({ ...json, ...more }), body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail = "The server cannot be reached. Check that it runs and that you are online.";
    throw Object.assign(new Problem({ detail }, 0), { unread: true });
  }
  if (answer.ok) return answer;
  let told = {};
  try { told = await answer.json(); } catch { /* Not ours: the status says enough. */ }
  throw new Problem(told, answer.status);
}

export const get = async (path, signal) => (await call(path, { signal })).json();
export const post = async (path, body, more = {}) => (await call(path, { method: "POST", body, ...more })).json();

// One key for each thing said: where only the answer was lost, the repeated request gets just that one, and is taken once.
export const unique = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The events of a POST, each given to `take` as (name, data). */
export async function events(path, body, take, { signal, key } = {}) {
  const sent = { accept: "text/event-stream", ...(key ? { "idempotency-key": key } : {}) };
  const answer = await call(path, { method: "POST", body, headers: sent, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new Problem({ detail: "The connection to the server broke. What is finished is kept: try again to go on." }, 0);
    });
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const line = (name) => block.split("\n").find((text) => text.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = line("data");
      if (data) take(line("event"), JSON.parse(data));
    }
  }
}

const WORDS = {
  budget: "Today's budget is used up. ", throttled: "The model is busy right now. ", quota: "The model is busy right now. ",
  shed: "The server is busy right now. ", timeout: "It took too long. ", access_denied: "Access is denied. ",
  storage: "The files could not be kept. ", truncated: "The answer ended early; the finished files are kept. ",
  cut: "The connection to the model broke; the finished files are kept. ", no_sample: "Only sample answers exist here. ",
  refused: "The model declined to write this. ", conflict: "Somebody else was faster. ", no_code: "The model answered without code. ",
  upstream_credentials: "The server has no valid AWS credentials; whoever runs it can fix that. ",
  unavailable: "The model service does not answer right now. ", not_found: "There is nothing here (any more). ",
};

export function plain(problem) {
  const text = (WORDS[problem.kind] || "") + problem.message;
  const cost = problem.partial?.receipt?.total_usd;
  return cost && cost !== "0" ? `${text} So far it cost $${cost}.` : text;
}

// Whether a key may help: the server says so itself; a gateway says 403 in words of its own, or, for browsers that come
// from elsewhere, nothing that they may read. The server's own credentials are not the reader's to give.
export function locked(problem) {
  if (problem.kind === "upstream_credentials") return false;
  return problem.status === 401 || (problem.status === 403 && !problem.kind) || Boolean(problem.status === 0 && problem.unread && elsewhere);
}

let countdown;

/** Shows what went wrong, with a way on: a key, a countdown to the next try, or a button. */
export function fail(problem, again) {
  if (problem.name === "AbortError") return;
  clear();
  if (locked(problem)) {
    $("door").hidden = false;
    $("door").again = again;
    $("token").value = "";
    $("token").focus();
    $("door-text").textContent = sessionStorage.getItem("token") ? "This key or token is not accepted here. Try another one." : "This server asks for a key or token.";
    if (problem.status) return;
  }
  $("problem").hidden = false;
  $("problem-text").textContent = plain(problem);
  const retry = $("retry");
  retry.hidden = !again;
  retry.textContent = "Try again";
  retry.onclick = () => { clear(); again(); };
  $("cancel").hidden = true;
  if (again && problem.wait && problem.status !== 402) count(problem.wait, again);
  (again ? retry : $("problem")).focus({ preventScroll: true });
  $("problem").scrollIntoView({ block: "nearest" });
}

function count(seconds, again) {
  let left = Math.min(seconds, 600);
  const wait = $("wait");
  $("cancel").hidden = false;
  const tick = () => {
    if (left <= 0) { clear(); again(); return; }
    wait.textContent = `Trying again in ${left} s.`;
    left -= 1;
    countdown = setTimeout(tick, 1000);
  };
  $("retry").textContent = "Try now";
  tick();
}

export function clear() {
  clearTimeout(countdown);
  for (const id of ["problem", "door", "cancel"]) $(id).hidden = true;
  $("wait").textContent = "";
}
