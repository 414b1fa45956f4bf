// Usage: today's budget, what the last days cost and how they went, as figures, bars and tables.
import { fail, get } from "./api.js";
import { el, money, when } from "./dom.js";

const HIGH = 100;

export async function usage(view, _, signal, query) {
  document.title = "Usage · Service creator";
  const days = [7, 30].find((one) => String(one) === query.get("days")) ?? 30;
  const asked = (by) => get(`/usage?days=${days}&by=${by}`, signal);
  try {
    const [budget, byDay, byModel, byTier] = await Promise.all([get("/budget", signal), asked("day"), asked("model"), asked("tier")]);
    view.replaceChildren(
      el("div", { class: "bar" }, el("h2", {}, "Usage"), el("label", {}, "The last ", el("select", { id: "days", onchange: (event) => { location.hash = `#/usage?days=${event.target.value}`; } },
        ...[7, 30].map((one) => el("option", { value: String(one), selected: one === days }, `${one} days`))))),
      today(budget),
      ...(byDay.total.requests ? past(days, budget, byDay, byModel, byTier) : [el("p", { class: "card" }, `No requests in the last ${days} days. What you generate is counted here: cost, success, time, and what cache and tier saved.`)]),
    );
  } catch (problem) { fail(problem, () => usage(view, _, signal, query)); }
}

/** Dollars, short: to the cent; below a dollar to the hundredth of a cent. */
function short(text) {
  const value = Number(text);
  if (!value) return "$0";
  return value < 0.0001 ? "< $0.0001" : `$${value.toFixed(value < 1 ? 4 : 2)}`;
}

const seconds = (value) => (value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);
const percent = (part, of) => `${of ? Math.floor((part * 100) / of) : 0} %`;

function today(budget) {
  const left = budget.cap ? `${short(budget.spent)} of ${money(budget.cap)}` : `${short(budget.spent)}, no cap`;
  const held = Number(budget.reserved) ? `${short(budget.reserved)} reserved for what is under way` : null;
  const meter = budget.cap && el("meter", { min: 0, max: Number(budget.cap), value: Number(budget.spent) + Number(budget.reserved), "aria-label": "Today's budget" });
  return el("section", { class: "card today", "aria-label": "Today" }, el("p", {}, el("strong", {}, "Today: "), [left, held, `the day ends ${when(budget.resets_at)}`].filter(Boolean).join(" · ")), meter);
}

function past(days, budget, byDay, byModel, byTier) {
  const { total } = byDay;
  const failed = total.failed ? [" ", el("small", {}, `${total.failed} failed`)] : [];
  return [
    el("dl", { class: "figures" }, ...[
      ["Spent", short(total.spent_usd)], ["Requests", String(total.requests)], ["Accepted", percent(total.accepted, total.requests), failed],
      ["Average time", seconds(total.average_seconds)], ["9 of 10 within", seconds(total.p90_seconds)], ["From the cache", String(total.cached)],
      ["Saved by the cache", short(total.saved_by_cache_usd)], ["Saved by cheaper tiers", short(total.saved_by_tier_usd)],
    ].map(([name, value, more]) => el("div", {}, el("dt", {}, name), el("dd", {}, value, more)))),
    chart(days, budget, byDay.groups),
    table("Model", "model", byModel.groups),
    table("Tier", "tier", byTier.groups),
  ];
}

/** Each day of the range, with its figures where it has some; the last one is today. */
function range(days, budget, groups) {
  const known = new Map(groups.map((one) => [one.day, one]));
  const end = Date.parse(budget.resets_at) - 86_400_000;
  return Array.from({ length: days }, (_, n) => {
    const day = new Date(end - (days - 1 - n) * 86_400_000).toISOString().slice(0, 10);
    return known.get(day) ?? { day, spent_usd: "0", requests: 0 };
  });
}

/** A bar for each day, as high as what it cost. Where nothing cost anything the bars count requests. */
function chart(days, budget, groups) {
  const all = range(days, budget, groups);
  const paid = all.some((one) => Number(one.spent_usd) > 0);
  const value = (one) => (paid ? Number(one.spent_usd) : one.requests);
  const told = (one) => `${one.day}: ${short(one.spent_usd)}, ${one.requests} ${one.requests === 1 ? "request" : "requests"}`;
  const most = Math.max(...all.map(value));
  const svg = svgElement("svg", { viewBox: `0 0 ${days * 10} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": `${paid ? "Dollars" : "Requests"} a day; the table below has the figures` });
  all.forEach((one, n) => {
    const high = value(one) ? Math.max(2, (value(one) / most) * HIGH) : 0;
    const bar = svgElement("rect", { x: n * 10 + 1, y: HIGH - high, width: 8, height: high });
    const title = svgElement("title", {});
    title.textContent = told(one);
    bar.append(title);
    svg.append(bar);
  });
  const marks = [0, Math.floor((days - 1) / 2), days - 1].map((n) => el("span", {}, day(all[n].day)));
  return el("section", { class: "chart", "aria-label": "Day by day" },
    el("h3", {}, paid ? "Dollars a day" : "Requests a day"), el("p", { class: "soft" }, `up to ${paid ? short(String(most)) : most}`), svg, el("div", { class: "marks", "aria-hidden": "true" }, ...marks),
    el("details", {}, el("summary", {}, "Figures by day"), table("Day", "day", groups.toReversed())));
}

const day = (text) => new Date(`${text}T00:00:00Z`).toLocaleDateString(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

function svgElement(name, given) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  return made;
}

function table(title, name, groups) {
  const figures = (one) => [String(one.requests), percent(one.accepted, one.requests), short(one.spent_usd), seconds(one.p90_seconds)];
  return el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": `By ${name}` }, el("table", { class: "numbers" },
    el("thead", {}, el("tr", {}, ...[title, "Requests", "Accepted", "Spent", "9 of 10 in"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...groups.map((one) => el("tr", {}, el("th", { scope: "row" }, name === "day" ? day(one.day) : one[name]), ...figures(one).map((text) => el("td", {}, text)))))));
}
