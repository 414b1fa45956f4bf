// The API as the page sees it, in memory, with faults on order: what `serve --offline` cannot do (changes, repairs, busy
// models) is played here. Never part of a release.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../", import.meta.url));
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
const TITLES = ["Service type", "Purpose", "Features", "Vendor", "API documentation", "Pricing", "Logging and authentication"];
export const FILES = ["backend_service.py", "api_routes.py", "database_schema.sql", "config.yaml", "requirements.txt", "README.md"];
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script></code></pre><svg onload=alert(3)>`;

/** A server; `faults` is a list that the tests push to: { action, problem } refuses the next such action. */
export async function mock({ token = null, offline = false } = {}) {
  const state = { services: new Map(), results: new Map(), faults: [], asked: [], token, offline, pace: 0, usage: null, bytewise: false, content: "def main():\n    return 1\n", findings: [], next: 1, keys: new Map() };
  const server = createServer((request, response) => answer(state, request, response).catch((error) => {
    response.writeHead(500).end(String(error));
  }));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  state.url = `http://127.0.0.1:${server.address().port}/`;
  state.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return state;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function answer(state, request, response) {
  const url = new URL(request.url, state.url);
  const path = url.pathname;
  const json = (status, body, more = {}) => response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json", ...more }).end(body === null ? "" : JSON.stringify(body));
  const problem = (status, kind, detail, more = {}) => json(status, { status, kind, detail, ...more });
  if (request.method === "GET" && (path === "/" || path === "/docs" || /^\/[\w-]+\.(html|js|css|svg)$/.test(path))) {
    const name = path === "/" ? "index.html" : path === "/docs" ? "docs.html" : path.slice(1);
    return response.writeHead(200, { "content-type": TYPES[name.split(".").pop()], "content-security-policy": POLICY }).end(await readFile(web + name));
  }
  if (path === "/openapi.json") return json(200, { info: { title: "t", version: "1", description: "d" }, paths: { "/usage": {} }, components: { schemas: {} } });
  if (state.token && request.headers.authorization !== `Bearer ${state.token}`) return problem(401, "credentials", "the request is not signed in: send a valid key or token");
  let text = "";
  for await (const chunk of request) text += chunk;
  const body = text ? JSON.parse(text) : {};
  const action = body.action ?? path.slice(1).split("/")[0];
  state.asked.push({ method: request.method, path, action, key: request.headers["idempotency-key"], body });
  const at = state.faults.findIndex((one) => one.action === action);
  if (at >= 0) {
    const [fault] = state.faults.splice(at, 1);
    return problem(fault.status, fault.kind, fault.detail ?? fault.kind, fault.more);
  }
  if (path === "/budget") return json(200, { cap: "5", spent: "0.25", reserved: "0", resets_at: "2026-12-01T00:00:00.000Z" });
  if (path === "/usage") {
    const by = url.searchParams.get("by") ?? "day";
    return json(200, { days: Number(url.searchParams.get("days")), by, total: state.usage?.total ?? { requests: 0 }, groups: state.usage?.[by] ?? [] });
  }
  if (path === "/samples") return json(200, { offline: state.offline, prompts: state.offline ? ["Write a Python function that reverses a string."] : [], service: state.offline ? TITLES : [] });
  if (path === "/estimate") return json(200, estimate);
  if (path === "/services") return json(200, { items: [...state.services.values()].reverse().map(entry), next: null });
  if (path === "/results") return json(200, { items: [...state.results.values()].map((one) => ({ id: one.id, prompt: "a queue", language: "python", generated_at: one.generated_at, code_length: 12, s3_key: "", model: one.model, stop_reason: "end_turn", total_usd: one.receipt?.total_usd ?? null })), next: null });
  if (path === "/generate" && body.task === "explain") return stream(state, response, [], (result) => result, "## What it does\n\n- `main` returns **1**\n");
  if (path === "/generate") return stream(state, response, [{ path: "main.py", content: state.content }], (result) => { state.results.set(result.id, result); return result; });
  const [, first, id, , code] = path.split("/");
  if (first === "results" && state.results.has(id)) return json(200, state.results.get(id));
  if (first === "services") {
    const found = [...state.services.values()].flatMap((one) => one.codes).find((one) => one.code_id === code);
    if (!found) return problem(404, "not_found", "no such code");
    if (path.endsWith("/zip")) return response.writeHead(200, { "content-type": "application/zip" }).end("PK\x05\x06" + "\0".repeat(18));
    return json(200, found);
  }
  if (first === "conversation" && id) {
    const one = state.services.get(id);
    if (!one) return problem(404, "not_found", "no such conversation");
    if (request.method === "DELETE") { state.services.delete(id); return json(204, null); }
    return json(200, view(one));
  }
  if (path === "/conversation") return conversation(state, request, response, body, json, problem);
  return problem(404, "not_found", "no such path");
}

function conversation(state, request, response, body, json, problem) {
  const key = request.headers["idempotency-key"];
  if (key && state.keys.has(key)) return json(200, state.keys.get(key));
  const kept = (answer) => { if (key) state.keys.set(key, answer); return json(200, answer); };
  if (body.action === "start") {
    const one = { conversation_id: `c-${state.next++}`, answers: [], codes: [], name: null, written: null };
    state.services.set(one.conversation_id, one);
    return kept(view(one));
  }
  const one = state.services.get(body.conversation_id);
  if (!one) return problem(404, "not_found", "no such conversation");
  if (body.action === "message") {
    if (body.step && body.step !== one.answers.length + 1) return problem(409, "conflict", `the conversation is at step ${one.answers.length + 1}`);
    one.answers.push(body.message);
    return kept(view(one));
  }
  if (body.action === "edit") { one.answers[body.step - 1] = body.message; return json(200, view(one)); }
  if (body.action === "rename") { one.name = body.name; return json(200, view(one)); }
  if (body.action === "estimate") return json(200, estimate);
  const refined = body.action === "refine";
  one.begun = true;
  const files = FILES.map((path) => ({ path, content: `${path} version ${one.codes.length + 1}\nfeatures: ${one.answers[2]}\n${refined && (!body.file || body.file === path) ? `changed: ${body.instructions}\n` : ""}last line\n` }));
  return stream(state, response, files, (result) => {
    const code = { ...result, service_id: "s-1", code_id: `k-${state.next++}`, sample: false };
    one.codes.push(code);
    one.written = [...one.answers];
    one.begun = false;
    return code;
  });
}

const estimate = { tier: "medium", tier_reason: "several files", model: "sonnet", input_tokens: 900, worst_usd: "0.12", sample: false, warnings: [] };

/** Files as events, slowly if `pace` says so; the answer breaks off where the caller hangs up. */
async function stream(state, response, files, finish, text = "") {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (name, data) => {
    const bytes = Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    if (state.bytewise) for (const byte of bytes) response.write(Buffer.from([byte])); else response.write(bytes);
  };
  const cut = state.faults.findIndex((one) => one.action === "cut");
  const fault = cut >= 0 ? state.faults.splice(cut, 1)[0] : null;
  if (text) send("text", { text });
  for (const [index, { path, content }] of files.entries()) {
    if (response.destroyed) return;
    if (fault && index === 2) { send("error", { problem: fault.problem }); response.end(); return; }
    send("file.started", { path, revision: 0, language: "text", index });
    for (const piece of content.match(/[\s\S]{1,16}/g) ?? []) { send("file.chunk", { path, revision: 0, text: piece, index }); if (state.pace) await pause(state.pace); }
    send("file.finished", { path, revision: 0, complete: true, index });
  }
  const diagnostics = state.findings.shift() ?? [];
  const result = finish({
    id: `r-${state.next++}`, accepted: !diagnostics.some((one) => one.severity === "error"), language: "python", text, model: "sonnet", tier: "medium", tier_reason: "", stop_reason: "end_turn",
    files: files.map((file) => ({ ...file, language: "text", size: file.content.length, sha256: "0", complete: true })), usage: { input_tokens: 10, output_tokens: 20 }, attempts: [], warnings: [], cached: null, stored: true,
    receipt: { total_usd: "0.0123", priced: true, items: [], price_table: "" }, diagnostics, generated_at: "2026-11-30T12:00:00.000Z",
  });
  send("finished", { generation: result });
  response.end();
}

function view(one) {
  const step = Math.min(one.answers.length + 1, 7), done = one.answers.length >= 7;
  const code = one.codes.at(-1) ?? null;
  return {
    conversation_id: one.conversation_id, question: done ? null : `What about ${TITLES[step - 1]}?`, step, total_steps: 7, title: TITLES[step - 1], example: done ? null : `example ${step}`, done,
    name: one.name ?? one.answers[0] ?? "", answers: one.answers.map((answer, n) => ({ step: n + 1, title: TITLES[n], question: `What about ${TITLES[n]}?`, answer })),
    service_id: code?.service_id ?? null, begun: Boolean(one.begun), stale: Boolean(code) && JSON.stringify(one.written) !== JSON.stringify(one.answers), codes: one.codes.map((known) => known.code_id), code,
  };
}

function entry(one) {
  const { conversation_id, name, step, total_steps, done, code } = view(one);
  return { conversation_id, name, intent: one.answers[1] ?? "", step, total_steps, done, service_id: code?.service_id ?? null, code_id: code?.code_id ?? null, accepted: code?.accepted ?? null, total_usd: code?.receipt.total_usd ?? null, updated_at: "2026-11-30T12:00:00.000Z" };
}
