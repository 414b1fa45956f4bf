// The plain job: a prompt, files with a receipt. And stored results at their address.
import { fail, get, post } from "./api.js";
import { CodeView } from "./code.js";
import { button, el, growing, money, save, when } from "./dom.js";
import { Run } from "./run.js";

export async function generate(view, _, signal, query) {
  document.title = "Generate · Service creator";
  const prompt = growing(el("textarea", { id: "prompt", rows: 3, required: true, value: query.get("prompt") ?? "", placeholder: "A queue with a timeout, and its tests" }));
  const language = el("input", { id: "language", placeholder: "from the prompt", maxLength: 32, spellcheck: false });
  const tier = el("select", { id: "tier" }, ...[["", "as the prompt needs"], ["simple", "simple"], ["medium", "medium"], ["complex", "complex"]].map(([value, text]) => el("option", { value }, text)));
  const budget = el("input", { id: "max-usd", inputMode: "decimal", placeholder: "1.00", pattern: "[0-9]{1,7}(\\.[0-9]{1,12})?" });
  const estimate = el("p", { class: "soft", role: "status" });
  const code = new CodeView({ label: "Files of the answer" });
  const run = new Run(code);
  signal.addEventListener("abort", () => run.controller?.abort());
  const work = el("section", { class: "work", "aria-label": "Files", hidden: true }, run.root, run.bill, code.root);
  const body = () => ({
    prompt: prompt.value.trim(),
    ...(language.value.trim() && { language: language.value.trim() }),
    ...(tier.value && { tier: tier.value }),
    ...(budget.value.trim() && { max_usd: budget.value.trim() }),
  });
  const write = async () => {
    if (!prompt.value.trim() || run.isUnderWay) return;
    work.hidden = false;
    const result = await run.start({ path: "/generate", body: body(), again: write, keyed: true, what: "your code" });
    if (!result) return;
    code.load(result.files, result.diagnostics);
    run.told(result, `${result.files.length} ${result.files.length === 1 ? "file is" : "files are"} written and checked.`);
    receipt(run, result);
  };
  const price = async () => {
    if (!prompt.value.trim()) { prompt.focus(); return; }
    try {
      const most = await post("/estimate", body());
      estimate.textContent = `${most.tier}: ${most.tier_reason} · ${most.model} · about ${most.input_tokens} tokens in · at most ${money(most.worst_usd)} for one answer`;
    } catch (problem) { fail(problem, price); }
  };
  const field = (name, input) => el("div", { class: "field" }, el("label", { for: input.id }, name), input);
  view.replaceChildren(
    el("h2", {}, "Generate code from a prompt"),
    el("form", { class: "plain", onsubmit: (event) => { event.preventDefault(); write(); } },
      field("What should the code do?", prompt),
      el("div", { class: "fields" }, field("Language", language), field("Tier", tier), field("Budget in dollars", budget)),
      el("div", { class: "row wrap" }, el("button", { type: "submit", class: "main", id: "write" }, "Generate"), button("Estimate", price)), estimate),
    work,
  );
  prompt.focus();
}

function receipt(run, result) {
  const lines = result.attempts?.length ? result.attempts.map((one) => `${one.model}, ${one.why}: ${one.outcome}`) : [];
  run.bill.append(el("details", {}, el("summary", {}, "Receipt"), el("ul", {}, ...[...lines,
    `${result.usage.input_tokens} tokens in, ${result.usage.output_tokens} out`, ...(result.warnings ?? []),
    result.stored ? `stored as ${result.id}` : "not stored"].map((text) => el("li", {}, text)))));
}

export async function result(view, id, signal) {
  const code = new CodeView();
  const run = new Run(code);
  try {
    const found = await get(`/results/${id}?content=true`, signal);
    document.title = "Result · Service creator";
    code.load(found.files, found.diagnostics);
    run.told(found, `${found.files.length} ${found.files.length === 1 ? "file" : "files"}, checked.`);
    receipt(run, found);
    const all = found.files.length > 1 && button("Download all", () => found.files.forEach((file) => save(new Blob([file.content]), file.path.split("/").pop())));
    view.replaceChildren(el("h2", {}, `Result of ${when(found.generated_at)}`), el("section", { class: "work", "aria-label": "Files" }, run.root, run.bill, el("div", { class: "bar" }, all), code.root));
  } catch (problem) { fail(problem, () => result(view, id, signal)); }
}
