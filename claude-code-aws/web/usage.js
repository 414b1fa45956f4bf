// The day's budget, and what the server tells of usage.
import { fail, get } from "./api.js";
import { el, money, when } from "./dom.js";

export async function usage(view, _, signal) {
  document.title = "Usage · Service creator";
  const row = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
  try {
    const budget = await get("/budget", signal);
    const told = await get("/usage", signal).catch(() => null);
    view.replaceChildren(el("h2", {}, "Usage"),
      el("dl", { class: "card" }, ...row("Spent today", money(budget.spent)), ...row("Reserved for what is under way", money(budget.reserved)),
        ...row("The day's cap", budget.cap ? money(budget.cap) : "none"), ...row("The day ends", when(budget.resets_at))),
      ...(told ? [el("h3", {}, "What the server counts"), table(told)] : []));
  } catch (problem) { fail(problem, () => usage(view, _, signal)); }
}

/** Rows of whatever shape: lists of objects as tables, the rest as names and values. */
function table(value) {
  if (Array.isArray(value) && value.every((one) => one && typeof one === "object")) {
    const names = [...new Set(value.flatMap((one) => Object.keys(one)))];
    return el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Usage" }, el("table", {}, el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name.replaceAll("_", " "))))),
      el("tbody", {}, ...value.map((one) => el("tr", {}, ...names.map((name) => el("td", {}, table(one[name]))))))));
  }
  if (value && typeof value === "object") return el("dl", {}, ...Object.entries(value).flatMap(([name, inner]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, table(inner))]));
  return String(value ?? "–");
}
