// A service at its address: seven answers that can be edited, six files, and what is done with them.
import { call, clear, fail, get, post, unique } from "./api.js";
import { CodeView } from "./code.js";
import { button, el, growing, money, save, say } from "./dom.js";
import { Run } from "./run.js";

const FILES = ["backend_service.py", "api_routes.py", "database_schema.sql", "config.yaml", "requirements.txt", "README.md"];

// Services whose files are being written: whoever looks at something else meanwhile finds them as they are then.
const live = new Map();

export async function service(view, id, signal) {
  const running = live.get(id);
  if (running?.run.isUnderWay || running?.run.missed) return running.again(view, signal);
  let at;
  try { at = await get(`/conversation/${id}`, signal); }
  catch (problem) { fail(problem, () => service(view, id, signal)); return; }
  const shown = new ServiceView(view, at, signal);
  live.set(id, shown);
  for (const [other, one] of live) if (other !== id && !one.run.isUnderWay) live.delete(other);
  shown.draw();
}

class ServiceView {
  constructor(view, at, signal) {
    Object.assign(this, { view, at, signal });
    this.code = new CodeView({ expected: FILES, label: "The six files" });
    this.run = new Run(this.code, FILES.length);
    for (const name of ["head", "talk", "review", "work"]) this[name] = el("section", { "aria-label": { head: "Service", talk: "Answers", review: "Your service", work: "Files" }[name], class: name });
    this.work.hidden = true;
  }

  /** Shows it as it is by now. */
  again(view, signal) {
    Object.assign(this, { view, signal });
    view.replaceChildren(this.head, this.talk, this.review, this.work);
    this.run.back();
  }

  draw() {
    this.view.replaceChildren(this.head, this.talk, this.review, this.work);
    this.answers();
    this.ask();
    if (this.at.code) this.open(this.at.code.code_id, false);
  }

  // ---- the answers

  answers(editing = null) {
    const { at } = this;
    if (this.head.isConnected) document.title = `${at.name || "New service"} · Service creator`;
    this.head.replaceChildren(el("h2", {}, at.name || "New service"),
      el("ol", { class: "steps", "aria-label": "Steps" }, ...Array.from({ length: at.total_steps }, (_, n) => {
        const done = n < at.answers.length, now = n === at.answers.length;
        return el("li", { class: done ? "done" : now ? "now" : "", "aria-current": now ? "step" : null }, `Step ${n + 1} of ${at.total_steps}${done ? ", answered" : ""}`);
      })));
    const said = at.answers.map((one, n) => (n === editing ? this.edit(one, n) : el("div", { class: "said" },
      el("p", { class: "asked" }, el("small", {}, `${n + 1} · ${one.title}`), one.question),
      el("div", { class: "mine-row" }, el("p", { class: "mine" }, one.answer),
        button("Edit", () => this.answers(n), "quiet small", { "aria-label": `Edit your answer to ${one.title}`, disabled: this.run.isUnderWay })))));
    // Once there are files, they are what is looked at.
    const folded = at.code && el("details", { class: "answers", open: editing !== null || Boolean(this.said?.open) }, el("summary", {}, "Your seven answers"), ...said);
    this.said = folded || null;
    this.talk.replaceChildren(...(folded ? [folded] : said));
    this.talk.querySelector("textarea")?.focus();
  }

  edit(one, n) {
    const box = growing(el("textarea", { value: one.answer, rows: 1, maxLength: 4096, required: true, "aria-label": `Your answer: ${one.title}` }));
    const form = el("form", { class: "said", onsubmit: async (event) => {
      event.preventDefault();
      if (!box.value.trim()) return;
      clear();
      try {
        this.at = await post("/conversation", { action: "edit", conversation_id: this.at.conversation_id, step: n + 1, message: box.value.trim() });
        this.answers();
        this.ask();
        say(`${one.title} is changed.`);
        this.talk.querySelectorAll(".said")[n]?.querySelector("button")?.focus();
      } catch (problem) { fail(problem, null); }
    } }, el("p", { class: "asked" }, el("small", {}, `${n + 1} · ${one.title}`), one.question),
    el("div", { class: "row" }, box, el("button", { type: "submit" }, "Save"), button("Cancel", () => { this.answers(); this.talk.querySelectorAll(".said")[n]?.querySelector("button")?.focus(); })));
    enter(box, form);
    return form;
  }

  ask() {
    const { at } = this;
    if (at.done) return this.described();
    const box = growing(el("textarea", { id: "answer", rows: 1, maxLength: 4096, placeholder: "Write your answer", required: true }));
    const send = el("button", { type: "submit", id: "send" }, "Answer");
    const example = at.example && button(`For example: ${at.example}`, () => { box.value = at.example; box.dispatchEvent(new Event("input")); box.focus(); }, "quiet small", { id: "suggest" });
    const form = el("form", { id: "form", autocomplete: "off", onsubmit: (event) => {
      event.preventDefault();
      const message = box.value.trim();
      if (message && !send.disabled) this.answer(message, [box, send, example]);
    } }, el("label", { class: "asked", for: "answer" }, el("small", {}, `${at.step} of ${at.total_steps} · ${at.title}`), at.question),
    el("div", { class: "row" }, box, send), example);
    enter(box, form);
    this.review.className = "ask";
    this.review.replaceChildren(form);
    box.focus();
    form.scrollIntoView({ block: "nearest" });
  }

  async answer(message, controls) {
    clear();
    // One key for each thing said: the repeated request is taken once.
    if (this.sent?.message !== message || this.sent.step !== this.at.step) this.sent = { message, step: this.at.step, key: unique() };
    for (const one of controls) if (one) one.disabled = true;
    try {
      await post("/conversation", { action: "message", conversation_id: this.at.conversation_id, message, step: this.at.step }, { headers: { "idempotency-key": this.sent.key } });
      this.at = await get(`/conversation/${this.at.conversation_id}`, this.signal);
      this.answers();
      this.ask();
    } catch (problem) {
      for (const one of controls) if (one) one.disabled = false;
      if (problem.status === 409) this.reload();
      fail(problem, problem.status === 422 || problem.status === 409 ? null : () => this.answer(message, controls));
    }
  }

  async reload() {
    try {
      this.at = await get(`/conversation/${this.at.conversation_id}`, this.signal);
      this.answers();
      this.ask();
    } catch { /* The first problem is shown already. */ }
  }

  // ---- before the files

  async described() {
    const { at } = this;
    this.review.className = "review";
    const words = !at.code ? (at.begun ? "Go on writing" : "Write the six files") : at.stale ? "Write them again with these answers" : null;
    const estimate = el("p", { class: "soft" });
    const write = words && button(words, () => this.write(), "main", { id: "generate", disabled: this.run.isUnderWay });
    const note = at.code && at.stale ? el("p", {}, "Your answers changed since the files were written. The version that is there stays.") : null;
    this.review.replaceChildren(...(write ? [note ?? el("p", {}, "All seven questions are answered. Edit any answer above, then let the files be written."), estimate, el("div", { class: "row" }, write)] : []));
    this.review.hidden = !write;
    if (!write) return;
    if (!at.code) write.focus({ preventScroll: true });
    try {
      const most = await post("/conversation", { action: "estimate", conversation_id: at.conversation_id }, { signal: this.signal });
      estimate.textContent = most.sample ? "A sample answer: $0." : `${most.model} · at most ${money(most.worst_usd)} for one answer, usually a fraction of it`;
    } catch { /* An estimate is a courtesy. */ }
  }

  // ---- the files

  async write() {
    const body = { action: "generate", conversation_id: this.at.conversation_id };
    await this.perform(body, "the six files", () => this.write());
  }

  async perform(body, what, again) {
    const before = [...this.code.files].filter(([, file]) => file.done).map(([name, file]) => [name, file.text]);
    const had = Boolean(this.at.code);
    this.work.hidden = false;
    if (!this.work.children.length) this.tools();
    this.locked(true);
    const result = await this.run.start({ path: "/conversation", body, again, what });
    this.locked(false);
    if (!result) {
      this.at.begun = true;
      this.described();
      return;
    }
    this.run.told(result, `All ${result.files.length} files are written and fit together.`);
    try { this.at = await get(`/conversation/${this.at.conversation_id}`); } catch { this.at.code = result; }
    this.current = result;
    this.code.against(had ? before : []);
    this.answers();
    this.described();
    this.tools();
    this.words();
  }

  locked(on) {
    for (const part of [this.talk, this.review, this.work]) for (const one of part.querySelectorAll(".mine-row button, .review button, .row button, select")) one.disabled = on;
  }

  async open(code, focus = true) {
    this.work.hidden = false;
    try {
      const { service_id } = this.at;
      const found = await get(`/services/${service_id}/code/${code}?content=true`, this.signal);
      this.current = found;
      this.code.load(found.files, found.diagnostics);
      this.run.told(found, `All ${found.files.length} files are written and fit together.`);
      this.tools();
      if (focus) this.code.pre.focus();
    } catch (problem) { fail(problem, () => this.open(code, focus)); }
  }

  words() { say(this.run.words.textContent); }

  tools() {
    const { at } = this;
    const errors = this.code.findings.filter((one) => one.severity === "error");
    const latest = at.code?.code_id;
    const versions = at.codes?.length > 1 && el("label", {}, "Version ", el("select", { onchange: (event) => this.open(event.target.value) },
      ...at.codes.map((one, n) => el("option", { value: one, selected: one === (this.current?.code_id ?? latest) }, `${n + 1}${one === latest ? " (newest)" : ""}`))));
    const compared = at.codes?.length > 1 && button("Compare with the one before", () => this.compare(), "quiet small");
    const refine = growing(el("textarea", { id: "refine", rows: 1, maxLength: 4096, required: true, placeholder: "What should change, in your words" }));
    const which = el("select", { "aria-label": "What is changed" }, el("option", { value: "" }, "All files"), ...FILES.map((name) => el("option", { value: name }, name)));
    const form = el("form", { class: "refine", onsubmit: (event) => {
      event.preventDefault();
      const words = refine.value.trim();
      if (words) this.refine(words, which.value);
    } }, el("label", { for: "refine" }, "Change the files"), el("div", { class: "row wrap" }, refine, which, el("button", { type: "submit" }, "Change")));
    enter(refine, form);
    const shown = Boolean(at.code) && !this.run.isUnderWay;
    const repair = shown && errors.length > 0 && button("Repair", () => this.refine(repairing(errors), ""), "main", { id: "repair" });
    const zip = shown && button("Download all (zip)", () => this.zip(), "quiet", { id: "zip" });
    this.work.replaceChildren(this.run.root, this.run.bill, el("div", { class: "bar wrap" }, versions, compared, repair, zip), this.code.root, ...(shown ? [form] : []));
  }

  refine(instructions, file) {
    const body = { action: "refine", conversation_id: this.at.conversation_id, instructions, ...(file ? { file } : {}) };
    return this.perform(body, file || "the changes", () => this.refine(instructions, file));
  }

  async compare() {
    const all = this.at.codes, now = this.current?.code_id ?? this.at.code.code_id;
    const before = all[all.indexOf(now) - 1] ?? all[all.length - 2];
    try {
      const old = await get(`/services/${this.at.service_id}/code/${before}?content=true`, this.signal);
      this.code.against(old.files.map((file) => [file.path, file.content]));
      this.code.changes = true;
      this.code.pressed(this.code.compare, true);
      this.code.show(this.code.shown);
      this.code.pre.focus();
    } catch (problem) { fail(problem, null); }
  }

  async zip() {
    clear();
    const code = this.current?.code_id ?? this.at.code.code_id;
    try {
      const answer = await call(`/services/${this.at.service_id}/code/${code}/zip`);
      save(await answer.blob(), `service-${code}.zip`);
    } catch (problem) { fail(problem, null); }
  }
}

/** Enter sends, Shift+Enter makes a new line. */
function enter(box, form) {
  box.addEventListener("keydown", (event) => {
    // Enter that ends the writing of a word by an input method is not for us; Safari tells it by 229 alone.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); form.requestSubmit(); }
  });
}

function repairing(errors) {
  const list = errors.slice(0, 20).map((one) => `- ${one.path || ""}${one.line ? ` line ${one.line}` : ""}: ${one.message}`);
  return `Repair what the checks found and change nothing else:\n${list.join("\n")}`.slice(0, 4000);
}

