// The plain job: a task in words, perhaps over given files; files or words come back, with a receipt. And stored results.
import { fail, get, post } from "./api.js";
import { CodeView } from "./code.js";
import { button, el, growing, money, save, when } from "./dom.js";
import { Given } from "./given.js";
import { beside, prose } from "./prose.js";
import { Run } from "./run.js";

// The tasks by name: how they are offered, what is asked for, and what is said where the reader says nothing more.
const TASKS = {
  generate: ["Write new code", "What should the code do?", "A queue with a timeout, and its tests"],
  refactor: ["Change given code", "What should change?", "Replace the nested ifs by early returns"],
  explain: ["Explain given code", "What do you want to know?", "Explain what these files do."],
  review: ["Review given code", "What should the review look at?", "Review these files."],
  test: ["Write tests for given code", "What should be tested?", "Write tests for these files."],
  document: ["Document given code", "What should be documented?", "Document these files."],
};
const IN_WORDS = ["explain", "review"];
const OWN_WORDS = ["generate", "refactor"];

let job = null;

/** The job stays while the page does: whoever looks at something else meanwhile finds it as it is then. */
export function generate(view, _, signal, query) {
  document.title = "Generate · Service creator";
  job ??= new Job();
  job.show(view, query);
}
window.addEventListener("beforeunload", (event) => { if (job?.run.isUnderWay) event.preventDefault(); });

const DRAFT = "draft";

/** What was filled in and not sent yet, kept over a reload. */
function draft() {
  try { return JSON.parse(sessionStorage.getItem(DRAFT)) ?? {}; } catch { return {}; }
}

class Job {
  constructor() {
    const kept = draft();
    this.prompt = growing(el("textarea", { id: "prompt", rows: 3, value: kept.prompt ?? "" }));
    this.label = el("label", { for: "prompt" });
    this.task = el("select", { id: "task", onchange: () => this.choose() }, ...Object.entries(TASKS).map(([value, [text]]) => el("option", { value }, text)));
    if (Object.hasOwn(TASKS, kept.task ?? "")) this.task.value = kept.task;
    this.language = el("input", { id: "language", value: kept.language ?? "", placeholder: "from the prompt", maxLength: 32, spellcheck: false });
    this.tier = el("select", { id: "tier" }, ...[["", "as the prompt needs"], ["simple", "simple"], ["medium", "medium"], ["complex", "complex"]].map(([value, text]) => el("option", { value }, text)));
    this.budget = el("input", { id: "max-usd", value: kept.max_usd ?? "", inputMode: "decimal", placeholder: "1.00", pattern: "[0-9]{1,7}(\\.[0-9]{1,12})?", title: "Dollars, such as 0.50" });
    this.estimate = el("p", { class: "soft", role: "status" });
    this.given = new Given();
    if (kept.tier) this.tier.value = kept.tier;
    for (const file of kept.files ?? []) this.given.add(file.path, file.content);
    this.code = new CodeView({ label: "Files of the answer" });
    this.run = new Run(this.code);
    this.words = el("div", { class: "prose", hidden: true });
    this.work = el("section", { class: "work", "aria-label": "Answer", hidden: true }, this.run.root, this.run.bill, this.words, this.code.root);
  }

  /** Shows it; a link may bring its own prompt. */
  show(view, query) {
    this.view = view;
    if (query.get("prompt") && !this.run.isUnderWay) {
      this.prompt.value = query.get("prompt");
      this.task.value = "generate";
    }
    if (Object.hasOwn(TASKS, query.get("task") ?? "")) this.task.value = query.get("task");
    this.draw();
    this.run.back();
  }

  keep() {
    const { prompt, task, language, tier, budget } = this;
    const files = this.given.files.filter((file) => file.content.length < 100_000);
    sessionStorage.setItem(DRAFT, JSON.stringify({ prompt: prompt.value, task: task.value, language: language.value, tier: tier.value, max_usd: budget.value, files }));
  }

  draw() {
    const field = (label, input) => el("div", { class: "field" }, label.localName ? label : el("label", { for: input.id }, label), input);
    this.view.replaceChildren(
      el("h2", {}, "Generate code from a prompt"),
      el("form", { class: "plain", oninput: () => this.keep(), onsubmit: (event) => { event.preventDefault(); this.write(); } },
        field("Task", this.task), field(this.label, this.prompt), this.given.root,
        el("div", { class: "fields" }, field("Language", this.language), field("Tier", this.tier), field("Budget in dollars", this.budget)),
        el("div", { class: "row wrap" }, el("button", { type: "submit", class: "main", id: "write" }, "Generate"), button("Estimate", () => this.price(), "quiet", { id: "price" })), this.estimate),
      this.work,
    );
    this.choose();
    this.prompt.focus();
  }

  choose() {
    const [, label, placeholder] = TASKS[this.task.value];
    this.label.textContent = label;
    this.prompt.placeholder = placeholder;
    this.prompt.required = OWN_WORDS.includes(this.task.value);
    this.given.root.hidden = this.task.value === "generate";
    this.estimate.textContent = "";
  }

  /** What is sent; none where something is missing. */
  body() {
    const task = this.task.value, own = OWN_WORDS.includes(task);
    const words = this.prompt.value.trim() || (own ? "" : TASKS[task][2]);
    if (!words) { this.prompt.reportValidity(); return null; }
    if (!this.budget.checkValidity()) { this.budget.reportValidity(); return null; }
    if (task !== "generate" && !this.given.isComplete()) return null;
    return {
      ...(task === "refactor" ? { instructions: words } : { prompt: words }),
      ...(own ? {} : { task }),
      ...(task === "generate" ? {} : { files: this.given.files }),
      ...(this.language.value.trim() && { language: this.language.value.trim() }),
      ...(this.tier.value && { tier: this.tier.value }),
      ...(this.budget.value.trim() && { max_usd: this.budget.value.trim() }),
    };
  }

  async write() {
    const body = !this.run.isUnderWay && this.body();
    if (!body) return;
    this.work.hidden = false;
    this.said("");
    this.run.said = (text) => this.said(this.text + text);
    this.run.anew = () => this.said("");
    const path = body.instructions ? "/refactor" : "/generate";
    const result = await this.run.start({ path, body, again: () => this.write(), keyed: true, what: "your code" });
    if (!result) return;
    shown(this, result, IN_WORDS.includes(this.task.value));
    sessionStorage.setItem("language", result.language);
    if (body.files) this.code.against(body.files.map((file) => [file.path, file.content]));
  }

  said(text) {
    this.text = text;
    cancelAnimationFrame(this.frame);
    // Once a picture: a long answer is not drawn anew for each of its words.
    this.frame = requestAnimationFrame(() => {
      this.words.replaceChildren(...prose(this.text));
      this.words.hidden = !this.text.trim();
    });
  }

  async price() {
    const body = this.body();
    if (!body) return;
    const { instructions, ...rest } = body;
    try {
      const most = await post("/estimate", instructions ? { prompt: instructions, ...rest } : body);
      this.estimate.textContent = `${most.tier}: ${most.tier_reason} · ${most.model} · about ${most.input_tokens} tokens in · ${most.sample ? "a sample answer: $0" : `at most ${money(most.worst_usd)} for one answer`}`;
    } catch (problem) { fail(problem, () => this.price()); }
  }
}

/** The result in a view that has code, run and words. A task that is answered in words shows them, with the code that they quote. */
function shown(view, found, inWords = false) {
  const named = found.files.some((file) => file.path);
  const files = inWords && !named ? [] : found.files;
  view.code.reading = inWords || files.every((file) => file.path?.endsWith(".md"));
  view.code.load(files, found.diagnostics);
  view.code.root.hidden = !files.length;
  view.said(beside(found.text ?? "", files));
  view.run.told(found, files.length ? `${files.length} ${files.length === 1 ? "file is" : "files are"} written and checked.` : "The answer is in words.");
  receipt(view.run, found);
}

function receipt(run, result) {
  const lines = result.attempts?.length ? result.attempts.map((one) => `${one.model}, ${one.why}: ${one.outcome}`) : [];
  run.bill.append(el("details", {}, el("summary", {}, "Receipt"), el("ul", {}, ...[...lines,
    `${result.usage.input_tokens} tokens in, ${result.usage.output_tokens} out`, ...(result.warnings ?? []),
    result.stored ? `stored as ${result.id}` : "not stored"].map((text) => el("li", {}, text)))));
}

export async function result(view, id, signal) {
  const code = new CodeView();
  const stored = { code, run: new Run(code), words: el("div", { class: "prose", hidden: true }), said: Job.prototype.said };
  try {
    const found = await get(`/results/${id}?content=true`, signal);
    document.title = "Result · Service creator";
    shown(stored, found);
    const all = found.files.length > 1 && button("Download all", () => found.files.forEach((file) => save(new Blob([file.content]), file.path.split("/").pop())));
    view.replaceChildren(el("h2", {}, `Result of ${when(found.generated_at)}`), el("section", { class: "work", "aria-label": "Answer" }, stored.run.root, stored.run.bill, el("div", { class: "bar" }, all), stored.words, code.root));
  } catch (problem) { fail(problem, () => result(view, id, signal)); }
}
