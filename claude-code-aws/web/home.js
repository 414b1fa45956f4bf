// The first screen: what exists already, and how to begin.
import { call, clear, fail, get, plain, post, unique } from "./api.js";
import { $, button, confirmed, el, money, undoable, when } from "./dom.js";

const LANGUAGES = ["python", "typescript", "javascript", "rust", "go", "java", "sql", "html", "bash", "yaml"];

// What was deleted a moment ago: it is not listed, whether or not the server has come to it.
const ERASED = "erased";
const erased = () => JSON.parse(sessionStorage.getItem(ERASED) ?? "[]");
const erase = (id) => sessionStorage.setItem(ERASED, JSON.stringify([...erased(), id].slice(-100)));
const restore = (id) => sessionStorage.setItem(ERASED, JSON.stringify(erased().filter((other) => other !== id)));

export async function home(view, _, signal) {
  const found = el("div", { class: "cards" });
  const search = el("input", { type: "search", placeholder: "Search your services", "aria-label": "Search your services", oninput: () => list() });
  let services = [], next = null;
  const more = button("Show more", () => load(next), "quiet", { hidden: true });
  const list = () => {
    const wanted = search.value.toLowerCase();
    const gone = erased();
    const all = services.filter((one) => !gone.includes(one.conversation_id));
    const shown = all.filter((one) => `${one.name} ${one.intent ?? ""}`.toLowerCase().includes(wanted));
    found.replaceChildren(...shown.map((one) => service(one, list)));
    if (!shown.length) found.append(el("p", { class: "soft" }, all.length ? "None of your services matches." : "None yet."));
  };
  view.replaceChildren(
    el("section", { class: "hero", "aria-label": "Begin" },
      el("h2", {}, "Create a cloud service"),
      el("p", { class: "soft" }, "Seven questions, then six files that work together."),
      el("div", { class: "row wrap" }, button("New service", async (event) => { event.target.disabled = true; await begin(); event.target.disabled = false; }, "main", { id: "new" }), el("a", { class: "as-button quiet", href: "#/generate" }, "Generate code from a prompt"))),
    el("section", { id: "samples", "aria-label": "Samples", hidden: true }),
    el("section", { "aria-label": "Your services" }, el("div", { class: "bar" }, el("h2", {}, "Your services"), search), found, more),
    el("section", { "aria-label": "Your results" }, ...results(signal)),
  );
  get("/samples", signal).then(offline, () => {});
  const load = async (cursor) => {
    try {
      const page = await get(`/services${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
      services = [...services, ...page.items];
      next = page.next;
      more.hidden = !next;
      list();
    } catch (problem) { fail(problem, () => load(cursor)); }
  };
  await load();
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

function service(one, list) {
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
    }, onkeydown: (event) => { if (event.key === "Escape") list(); } }, given, el("button", { type: "submit" }, "Save"), button("Cancel", list));
    card.replaceChildren(form);
    given.select();
  };
  const remove = async () => {
    if (!(await confirmed(`Delete ${one.name || "this service"} with its files?`, "Delete"))) return;
    deleted(one.conversation_id, `/conversation/${one.conversation_id}`, list);
  };
  const card = el("article", { class: "card" }, el("div", {}, name,
    el("p", { class: "soft" }, [state, one.code_id ? money(one.total_usd) : null, when(one.updated_at)].filter(Boolean).join(" · "))),
  el("div", { class: "tools" }, button("Rename", rename, "quiet small", { "aria-label": `Rename ${one.name || "service"}` }), button("Delete", remove, "quiet small", { "aria-label": `Delete ${one.name || "service"}` })));
  return card;
}

/** Not listed from now on, and gone when the time for an undo is over. */
function deleted(id, path, list) {
  const back = () => { restore(id); list(); };
  erase(id);
  list();
  undoable("Deleted.", back, () => call(path, { method: "DELETE" }).catch((problem) => { if (problem.status !== 404) { back(); fail(problem); } }));
}

function results(signal) {
  const found = el("div", { class: "cards" });
  const more = button("Show more", () => load(next), "quiet", { hidden: true });
  // The one that was looked at, or written in, last.
  const last = sessionStorage.getItem("language") ?? "python";
  const names = LANGUAGES.includes(last) ? LANGUAGES : [last, ...LANGUAGES];
  const language = el("select", { "aria-label": "Language", onchange: () => { sessionStorage.setItem("language", language.value); load(); } }, ...names.map((name) => el("option", { value: name, selected: name === last }, name)));
  const search = el("input", { type: "search", placeholder: "Search your results", "aria-label": "Search your results", oninput: () => list() });
  let items = [], next = null;
  const list = () => {
    const wanted = search.value.toLowerCase();
    const gone = erased();
    const all = items.filter((one) => !gone.includes(one.id));
    const shown = all.filter((one) => `${one.prompt} ${one.model}`.toLowerCase().includes(wanted));
    found.replaceChildren(...shown.map((one) => result(one, list)));
    if (!shown.length) found.append(el("p", { class: "soft" }, all.length ? `None of the ${all.length} results shown matches.` : `No results in ${language.value} yet.`));
  };
  const load = async (cursor) => {
    const wanted = language.value;
    try {
      const page = await get(`/results?language=${encodeURIComponent(wanted)}&limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
      if (language.value !== wanted) return;
      items = cursor ? [...items, ...page.items] : page.items;
      next = page.next;
      more.hidden = !next;
      list();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (problem.kind === "not_found") found.replaceChildren(el("p", { class: "soft" }, "This server keeps no results."));
      else found.replaceChildren(el("p", { class: "soft" }, `The results cannot be listed: ${plain(problem)} `), button("List them again", () => load(cursor)));
    }
  };
  load();
  return [el("div", { class: "bar" }, el("h2", {}, "Your results"), search, language), found, more];
}

function result(one, list) {
  const remove = async () => {
    if (!(await confirmed("Delete this result with its files?", "Delete"))) return;
    deleted(one.id, `/results/${one.id}`, list);
  };
  const size = one.code_length ? `${one.code_length} bytes` : "in words";
  return el("article", { class: "card" }, el("div", {}, el("a", { class: "name", href: `#/r/${one.id}` }, one.prompt.slice(0, 120) || "(no prompt)"),
    el("p", { class: "soft" }, [one.model, size, one.total_usd == null ? "cost unknown" : money(one.total_usd), when(one.generated_at)].join(" · "))),
  el("div", { class: "tools" }, button("Delete", remove, "quiet small", { "aria-label": `Delete ${one.prompt.slice(0, 40)}` })));
}
