// `serve --offline` for the length of a test, with a script of answers; the next script takes its place at the same address.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "a-token-of-the-tests-0123456789";

export const FILES = {
  "backend_service.py": '"""The rules of the service."""\n\n\ndef count(names: list[str]) -> int:\n    """How many names there are."""\n    return len(names)\n',
  "api_routes.py": '"""The routes."""\n\nfrom fastapi import FastAPI\n\nfrom backend_service import count\n\napp = FastAPI()\n\n\n@app.get("/count")\ndef counted(names: str) -> dict[str, int]:\n    """Counts names between commas."""\n    return {"count": count(names.split(","))}\n',
  "database_schema.sql": "CREATE TABLE names (\n    id BIGINT PRIMARY KEY,\n    name TEXT NOT NULL\n);\n",
  "config.yaml": "log_level: info\n",
  "requirements.txt": "fastapi==0.115.6\n",
  "README.md": "# Names\n\nIt counts names.\n",
};
export const BROKEN = { ...FILES, "api_routes.py": FILES["api_routes.py"].replace("def counted(names: str)", "def counted(names: str") };

/** An answer with these files. */
export const written = (files, more = {}) => ({ answer: { text: Object.entries(files).map(([path, text]) => `\`\`\`\`${path.split(".").pop()} ${path}\n${text}\`\`\`\`\n`).join("\n") }, ...more });
export const said = (text, more = {}) => ({ answer: { text }, ...more });
export const refused = (status, code, message, more = {}) => ({ error: { status, code, message }, ...more });

async function free() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A server that answers with these steps. */
export async function serve(command, steps, { args = [], env = {} } = {}) {
  const place = await mkdtemp(join(tmpdir(), "served-"));
  const port = await free();
  const state = { url: `http://127.0.0.1:${port}/`, place, child: null };
  const start = async (script) => {
    await writeFile(join(place, "script.json"), JSON.stringify({ steps: script }));
    const all = ["serve", "--offline", "--addr", `127.0.0.1:${port}`, "--answers", join(place, "script.json"), ...args];
    const child = spawn(command, all, { env: { ...process.env, CLAUDE_CODE_AWS_LOCAL_DIR: place, CLAUDE_CODE_AWS_SERVE_TOKEN: TOKEN, ...env }, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr.on("data", (text) => { log += text; });
    state.child = child;
    for (let turn = 0; !/listening on/.test(log); turn++) {
      assert.ok(turn < 200 && child.exitCode === null, `the server does not listen: ${log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const stop = async (signal) => {
    const ended = new Promise((done) => state.child.once("exit", done));
    state.child.kill(signal);
    await ended;
  };
  await start(steps);
  state.play = async (script) => { await stop("SIGKILL"); await start(script); };
  state.close = async () => { await stop("SIGKILL"); await rm(place, { recursive: true, force: true }); };
  state.token = async () => (await readFile(join(place, `serve-${port}.token`), "utf8")).trim();
  return state;
}
