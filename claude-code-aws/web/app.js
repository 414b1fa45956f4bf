// The service creator: a conversation, then files as they are written. Whatever a model or a server says enters the
// page as text (textContent), never as markup.
"use strict";

const $ = (id) => document.getElementById(id);
const FILES = ["backend_service.py", "api_routes.py", "database_schema.sql", "config.yaml", "requirements.txt", "README.md"];
const NAMES = {
  service_type: "Service type", intent: "Purpose", features: "Features", vendor: "Vendor",
  api_docs: "API documentation", pricing_model: "Pricing", logging_and_auth: "Logging and sign-in",
};
// Where the API is: as the page is told, else beside the page, which may stand behind a gateway's stage (/prod/).
const elsewhere = document.querySelector('meta[name="api-base"]').content.replace(/\/$/, "");
const base = elsewhere || location.pathname.replace(/\/[^/]*$/, "");
const page = { id: null, step: 1, total: 7, example: null, files: new Map(), shown: null, chosen: false, result: null, stop: null, again: null, sent: null };

function element(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// ---- talking to the API

function headers() {
  const token = sessionStorage.getItem("token");
  const sent = { "content-type": "application/json" };
  // A gateway takes keys, the server itself tokens; the page does not know which of them answers.
  if (token) Object.assign(sent, { "x-api-key": token, authorization: `Bearer ${token}` });
  return sent;
}

class Problem extends Error {
  constructor(body, status) {
    super(body.detail || `The server answered ${status}.`);
    this.kind = body.kind;
    this.status = status;
    this.wait = body.retry_after;
  }
}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(base + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail = "The server cannot be reached. Check that it runs and that you are online.";
    throw Object.assign(new Problem({ detail }, 0), { unread: true });
  }
  if (answer.ok) return answer;
  let body = {};
  try { body = await answer.json(); } catch { /* Not ours: the status says enough. */ }
  throw new Problem(body, answer.status);
}

// One key for each thing said: where only the answer was lost, the repeated request gets just that one, and is taken once.
const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const post = (body, more) => call("/conversation", { method: "POST", headers: { ...headers(), ...more }, body: JSON.stringify(body), signal: page.stop?.signal });

// ---- problems, in plain words

function plain(problem) {
  const words = {
    budget: "Today's budget is used up. ", throttled: "The model is busy right now. ", shed: "The server is busy right now. ",
    timeout: "It took too long. ", access_denied: "You may not do this here. ", storage: "The files could not be kept. ",
    truncated: "The answer ended early; the finished files are kept. ", cut: "The connection to the model broke; the finished files are kept. ",
    no_sample: "There is no model here, only one sample. ", refused: "The model declined to write this. ",
  };
  const wait = problem.wait ? ` Try again in ${problem.wait} seconds.` : "";
  return (words[problem.kind] || "") + problem.message + wait;
}

// Whether a key may help: the server says so itself; a gateway says 403 in words of its own, or, for browsers that come
// from elsewhere, nothing that they may read.
function locked(problem) {
  return problem.status === 401 || (problem.status === 403 && !problem.kind) || (problem.status === 0 && problem.unread && elsewhere);
}

function fail(problem, again) {
  if (problem.name === "AbortError") return;
  if (locked(problem)) {
    page.again = again;
    $("door").hidden = false;
    $("token").focus();
    if (problem.status) return;
  }
  $("problem-text").textContent = plain(problem);
  $("problem").hidden = false;
  $("retry").hidden = !again;
  page.again = again;
  $("problem").scrollIntoView({ block: "nearest" });
}

function clear() { $("problem").hidden = true; $("door").hidden = true; }

// ---- the conversation

function steps() {
  const list = $("steps");
  list.replaceChildren();
  for (let n = 1; n <= page.total; n++) {
    const item = element("li", `Step ${n} of ${page.total}`);
    if (n < page.step) item.className = "done";
    if (n === page.step) { item.className = "now"; item.setAttribute("aria-current", "step"); }
    list.append(item);
  }
}

function ask(answer) {
  page.id = answer.conversation_id;
  page.total = answer.total_steps;
  page.step = answer.done ? page.total + 1 : answer.step;
  page.example = answer.example;
  steps();
  if (answer.done) return review(answer.service_data);
  const asked = element("p", undefined, "said asked");
  asked.append(element("small", `${answer.step} of ${answer.total_steps} · ${answer.title}`), document.createTextNode(answer.question));
  $("talk").append(asked);
  $("form").hidden = false;
  $("suggest").hidden = !page.example;
  $("suggest").textContent = `For example: ${page.example}`;
  $("answer").value = "";
  grow();
  $("answer").focus();
  $("form").scrollIntoView({ block: "nearest" });
}

async function start(key = unique()) {
  clear();
  try {
    ask(await (await post({ action: "start" }, { "idempotency-key": key })).json());
  } catch (problem) { fail(problem, () => start(key)); }
}

async function reply(message) {
  clear();
  if (page.sent?.message !== message || page.sent.step !== page.step) page.sent = { message, step: page.step, key: unique() };
  const mine = element("p", message, "said mine");
  $("talk").append(mine);
  busy(true);
  try {
    const said = { action: "message", conversation_id: page.id, message, step: page.step };
    const answer = await (await post(said, { "idempotency-key": page.sent.key })).json();
    $("again").hidden = false;
    busy(false);
    ask(answer);
  } catch (problem) {
    busy(false);
    mine.remove();
    $("answer").value = message;
    fail(problem, problem.status === 422 ? null : () => reply(message));
  }
}

function busy(on) {
  for (const id of ["send", "answer", "suggest"]) $(id).disabled = on;
}

function review(data) {
  $("form").hidden = true;
  const list = $("summary");
  list.replaceChildren();
  for (const [field, name] of Object.entries(NAMES)) {
    const value = Array.isArray(data[field]) ? data[field].join(", ") : data[field];
    list.append(element("dt", name), element("dd", value || "none given"));
  }
  $("talk").hidden = true;
  $("reread").hidden = false;
  $("review").hidden = false;
  $("generate").focus();
  $("review").scrollIntoView({ block: "nearest" });
}

// ---- the files

function tabs() {
  const list = $("tabs");
  list.replaceChildren();
  const names = [...new Set([...FILES, ...page.files.keys()])];
  for (const name of names) {
    const file = page.files.get(name);
    const tab = element("button", name, file ? (file.done ? "ready" : "writing") : "");
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(name === page.shown));
    tab.setAttribute("aria-label", `${name}, ${file ? (file.done ? "written" : "being written") : "waiting"}`);
    tab.tabIndex = name === (page.shown || names[0]) ? 0 : -1;
    tab.addEventListener("click", () => { page.chosen = true; show(name); });
    list.append(tab);
  }
}

function show(name) {
  page.shown = name;
  tabs();
  const file = page.files.get(name);
  $("path").textContent = name + (file && !file.done ? " · being written" : "");
  $("one").hidden = !(file && file.done);
  const code = $("code");
  code.replaceChildren();
  if (!file) return;
  if (file.done) code.append(colours(file.text, name));
  else code.append(document.createTextNode(file.text));
}

$("tabs").addEventListener("keydown", (event) => {
  const all = [...$("tabs").children];
  const at = all.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  const next = (at + moves[event.key] + all.length) % all.length;
  page.chosen = true;
  show(all[next].textContent);
  $("tabs").children[next].focus();
});

// One pass over the text; what matches becomes a span, and every piece is a text node.
const WORDS = {
  py: "and as assert async await break class continue def del elif else except finally for from global if import in is lambda None nonlocal not or pass raise return self True False try while with yield",
  sql: "create table index unique on primary key references not null default check in insert into values select from where update set delete and or generated always as identity between is constraint cascade begin commit alter add view",
};
function colours(text, name) {
  const kind = name.split(".").pop();
  const notes = { py: "#[^\\n]*", sql: "--[^\\n]*", yaml: "#[^\\n]*", txt: "#[^\\n]*", md: "^#{1,6} [^\\n]*" }[kind];
  const texts = kind === "md" ? "`[^`\\n]+`" : '"""[\\s\\S]*?"""|"(?:\\\\.|[^"\\\\\\n])*"|\'(?:\\\\.|[^\'\\\\\\n])*\'';
  const words = WORDS[kind] ? `\\b(?:${WORDS[kind].replace(/ /g, "|")})\\b` : kind === "yaml" ? "^[ \\t-]*[\\w-]+(?=:)" : "(?!)";
  const piece = new RegExp(`(?<note>${notes || "(?!)"})|(?<text>${texts})|(?<word>${words})|(?<figure>\\b\\d[\\d._]*\\b)`, kind === "sql" ? "gim" : "gm");
  const out = document.createDocumentFragment();
  let last = 0;
  for (const found of text.matchAll(piece)) {
    if (found.index > last) out.append(text.slice(last, found.index));
    const group = Object.keys(found.groups).find((key) => found.groups[key] !== undefined);
    out.append(element("span", found[0], group));
    last = found.index + found[0].length;
  }
  out.append(text.slice(last));
  return out;
}

function event(name, data) {
  if (name === "error") throw new Problem(data.problem, data.problem.status);
  if (name === "notice") {
    $("status").textContent = `Going on (${data.why}) with ${data.model}…`;
    return;
  }
  if (name === "finished") return finished(data.generation);
  if (!name.startsWith("file.") || !data.path) return;
  const file = page.files.get(data.path);
  if (name === "file.started" && (!file || data.revision >= file.revision)) {
    page.files.set(data.path, { text: "", revision: data.revision, done: false });
    const n = [...page.files.values()].filter((f) => f.done).length;
    $("status").textContent = `Writing ${data.path} · ${n} of ${FILES.length} files ready`;
    page.chosen ? tabs() : show(data.path);
  } else if (file && data.revision === file.revision) {
    if (name === "file.chunk") {
      file.text += data.text;
      if (page.shown === data.path) $("code").append(data.text);
    } else {
      file.done = data.complete;
      page.shown === data.path ? show(data.path) : tabs();
    }
  }
}

async function generate() {
  clear();
  page.stop = new AbortController();
  page.files.clear();
  page.chosen = false;
  page.result = null;
  for (const id of ["zip", "one"]) $(id).hidden = true;
  for (const id of ["bill", "findings"]) $(id).replaceChildren();
  $("work").hidden = false;
  $("stop").hidden = false;
  $("generate").disabled = true;
  $("status").textContent = "Thinking about the six files…";
  tabs();
  $("work").scrollIntoView({ block: "start" });
  try {
    const answer = await post({ action: "generate", conversation_id: page.id }, { accept: "text/event-stream" });
    await read(answer.body);
    if (!page.result) throw new Problem({ detail: "The connection broke. What is finished is kept: try again to go on." }, 0);
  } catch (problem) {
    $("status").textContent = problem.name === "AbortError" ? "Stopped. Finished files are kept; write again to go on." : "Not finished.";
    fail(problem, generate);
  } finally {
    page.stop = null;
    $("stop").hidden = true;
    $("generate").disabled = false;
    $("generate").hidden = Boolean(page.result);
    $("generate").textContent = "Go on writing";
  }
}

async function read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const line = (name) => block.split("\n").find((text) => text.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = line("data");
      if (data) event(line("event"), JSON.parse(data));
    }
  }
}

function finished(result) {
  page.result = result;
  const money = result.receipt.total_usd;
  $("status").textContent = result.accepted
    ? `All ${result.files.length} files are written and fit together.`
    : `${result.files.length} files are written; the checks found something to look at.`;
  $("zip").hidden = false;
  const price = result.sample ? "$0 (a sample answer, no model was asked)" : money ? `$${money}` : "price unknown";
  $("bill").textContent = [result.model || "no model was asked", price].join(" · ");
  for (const found of result.diagnostics) {
    $("findings").append(element("li", `${found.path || "(unnamed)"}${found.line ? ` line ${found.line}` : ""}: ${found.message}`));
  }
  if (!page.chosen) show(FILES[0]);
}

// ---- downloads, from what is in the page or with the same key

function save(blob, name) {
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

$("one").addEventListener("click", () => save(new Blob([page.files.get(page.shown).text], { type: "text/plain" }), page.shown));
$("zip").addEventListener("click", async () => {
  clear();
  try {
    const { service_id, code_id } = page.result;
    const answer = await call(`/services/${service_id}/code/${code_id}/zip`, { headers: headers() });
    save(await answer.blob(), `service-${code_id}.zip`);
  } catch (problem) { fail(problem, null); }
});

// ---- keys and buttons

function grow() {
  const box = $("answer");
  box.style.removeProperty("height");
  box.rows = Math.min(8, Math.max(1, box.value.split("\n").length));
}
$("answer").addEventListener("input", grow);
$("answer").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); }
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const message = $("answer").value.trim();
  if (message && !$("send").disabled) reply(message);
});
$("suggest").addEventListener("click", () => { $("answer").value = page.example; $("answer").focus(); });
$("generate").addEventListener("click", generate);
$("stop").addEventListener("click", () => page.stop?.abort());
$("retry").addEventListener("click", () => { const again = page.again; clear(); again?.(); });
$("reread").addEventListener("click", () => {
  $("talk").hidden = !$("talk").hidden;
  $("reread").textContent = $("talk").hidden ? "Show the conversation" : "Hide the conversation";
});
$("again").addEventListener("click", () => location.reload());
$("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value);
  const again = page.again;
  clear();
  again?.();
});
start();
