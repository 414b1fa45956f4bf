// The first screen: what exists already, and how to begin.
import { call, clear, fail, get, post, unique } from "./api.js";
import { $, button, confirmed, el, money, undoable, when } from "./dom.js";

const LANGUAGES = ["python", "typescript", "javascript", "rust", "go", "java", "sql", "html", "bash", "yaml"];

export async function home(view, _, signal) {
  const found = el("div", { class: "cards" });
  const search = el("input", { type: "search", placeholder: "Search your services", "aria-label": "Search your services", oninput: () => list() });
  let services = [];
  const list = () => {
    const wanted = search.value.toLowerCase();
    const shown = services.filter((one) => `${one.name} ${one.intent ?? ""}`.toLowerCase().includes(wanted));
    found.replaceChildren(...shown.map((one) => service(one, () => { services = services.filter((other) => other !== one); list(); }, list)));
    if (!shown.length) found.append(el("p", { class: "soft" }, services.length ? "None of your services matches." : "None yet."));
  };
  view.replaceChildren(
    el("section", { class: "hero", "aria-label": "Begin" },
      el("h2", {}, "Create a cloud service"),
      el("p", { class: "soft" }, "Seven questions, then six files that work together."),
      el("div", { class: "row wrap" }, button("New service", () => begin(), "main", { id: "new" }), el("a", { class: "as-button quiet", href: "#/generate" }, "Generate code from a prompt"))),
    el("section", { id: "samples", "aria-label": "Samples", hidden: true }),
    el("section", { "aria-label": "Your services" }, el("div", { class: "bar" }, el("h2", {}, "Your services"), search), found),
    el("section", { "aria-label": "Your results" }, ...results(signal)),
  );
  get("/samples", signal).then(offline, () => {});
  try {
    ({ items: services } = await get("/services", signal));
    list();
  } catch (problem) { fail(problem, () => home(view, _, signal)); }
}

/** Starts a conversation, with all its answers where they are given, and goes to it. */
export async function begin(data) {
  clear();
  try {
    const { conversation_id: id } = await post("/conversation", { action: "start" }, { headers: { "idempotency-key": unique() } });
    if (data) {
      for (const [n, message] of data.entries()) await post("/conversation", { action: "message", conversation_id: id, message, step: n + 1 });
    }
    location.hash = `#/s/${id}`;
  } catch (problem) { fail(problem, () => begin(data)); }
}

function offline(samples) {
  const box = $("samples");
  if (!samples.offline || !box) return;
  box.hidden = false;
  box.className = "notice calm";
  box.replaceChildren(
    el("h2", {}, "No model is connected: only these samples exist here"),
    el("div", { class: "row wrap" },
      button(`Sample service: ${samples.service[0]}`, () => begin(samples.service)),
      ...samples.prompts.slice(0, 6).map((prompt) => el("a", { class: "as-button quiet", href: `#/generate?prompt=${encodeURIComponent(prompt)}` }, prompt))),
    el("p", { class: "soft" }, "For anything else whoever runs this server connects a model: AWS credentials, ANTHROPIC_API_KEY, or a local Messages API server."),
  );
}

function service(one, removed, list) {
  const state = one.code_id ? (one.accepted ? "six files, checked" : "files with findings") : one.done ? "ready to be written" : `question ${one.step} of ${one.total_steps}`;
  const name = el("a", { href: `#/s/${one.conversation_id}`, class: "name" }, one.name || "Unnamed service");
  const rename = async () => {
    const given = el("input", { value: one.name || "", maxLength: 80, "aria-label": "New name" });
    const form = el("form", { class: "row", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await post("/conversation", { action: "rename", conversation_id: one.conversation_id, name: given.value.trim() });
        one.name = given.value.trim();
        list();
      } catch (problem) { fail(problem); }
    } }, given, el("button", { type: "submit" }, "Save"));
    card.replaceChildren(form);
    given.select();
  };
  const remove = async () => {
    if (!(await confirmed(`Delete ${one.name || "this service"} with its files?`, "Delete"))) return;
    removed();
    undoable("Deleted.", () => home($("view")), () => call(`/conversation/${one.conversation_id}`, { method: "DELETE" }).catch((problem) => fail(problem)));
  };
  const card = el("article", { class: "card" }, el("div", {}, name,
    el("p", { class: "soft" }, [state, one.code_id ? money(one.total_usd) : null, when(one.updated_at)].filter(Boolean).join(" · "))),
  el("div", { class: "tools" }, button("Rename", rename, "quiet small", { "aria-label": `Rename ${one.name || "service"}` }), button("Delete", remove, "quiet small", { "aria-label": `Delete ${one.name || "service"}` })));
  return card;
}

function results(signal) {
  const found = el("div", { class: "cards" });
  const more = button("Show more", () => load(next), "quiet", { hidden: true });
  const language = el("select", { "aria-label": "Language", onchange: () => load() }, ...LANGUAGES.map((name) => el("option", { value: name }, name)));
  let next = null;
  const load = async (cursor) => {
    try {
      const page = await get(`/results?language=${language.value}&limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
      if (!cursor) found.replaceChildren();
      found.append(...page.items.map((one) => result(one)));
      if (!found.children.length) found.append(el("p", { class: "soft" }, `No results in ${language.value} yet.`));
      next = page.next;
      more.hidden = !next;
    } catch (problem) {
      if (problem.name === "AbortError") return;
      found.replaceChildren(el("p", { class: "soft" }, "Results are not kept here."));
    }
  };
  load();
  return [el("div", { class: "bar" }, el("h2", {}, "Your results"), language), found, more];
}

function result(one) {
  const remove = async () => {
    if (!(await confirmed("Delete this result with its files?", "Delete"))) return;
    card.hidden = true;
    undoable("Deleted.", () => { card.hidden = false; }, () => call(`/results/${one.id}`, { method: "DELETE" }).catch((problem) => { card.hidden = false; fail(problem); }));
  };
  const card = el("article", { class: "card" }, el("div", {}, el("a", { class: "name", href: `#/r/${one.id}` }, one.prompt.slice(0, 120) || "(no prompt)"),
    el("p", { class: "soft" }, [one.model, `${one.code_length} bytes`, when(one.generated_at)].join(" · "))),
  el("div", { class: "tools" }, button("Delete", remove, "quiet small", { "aria-label": `Delete ${one.prompt.slice(0, 40)}` })));
  return card;
}
