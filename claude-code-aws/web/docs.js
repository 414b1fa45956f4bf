// A viewer of /openapi.json: routes, what they take, what they answer.
import { el } from "./dom.js";

const elsewhere = document.querySelector('meta[name="api-base"]').content.replace(/\/$/, "");
const base = elsewhere || location.pathname.replace(/\/[^/]*$/, "");
const view = document.getElementById("view");

const named = (schema) => schema?.$ref?.split("/").pop();

function type(schema) {
  if (!schema) return "any";
  if (schema.$ref) return el("a", { href: `#${named(schema)}` }, named(schema));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const any = schema.anyOf || schema.oneOf;
  if (any) return el("span", {}, ...any.flatMap((one, n) => [n ? " | " : "", type(one)]));
  if (schema.type === "array") return el("span", {}, "list of ", type(schema.items));
  return [schema.type ?? "any"].flat().join(" | ");
}

function limits(schema) {
  const words = { minLength: "at least", maxLength: "at most", minimum: "from", maximum: "to", maxItems: "at most", pattern: "like" };
  return Object.entries(words).filter(([name]) => schema?.[name] !== undefined).map(([name, word]) => `${word} ${schema[name]}`).join(", ");
}

const scrolled = (label, table) => el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": label }, table);

function fields(label, rows) {
  return scrolled(label, el("table", {},
    el("thead", {}, el("tr", {}, ...["Name", "Type", "What it is"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map(([name, schema, required, text]) => el("tr", {},
      el("td", {}, el("code", {}, name), required ? el("strong", { title: "required" }, " *") : ""), el("td", {}, type(schema)),
      el("td", {}, [text, limits(schema)].filter(Boolean).join(" · ")))))));
}

const properties = (schema) => Object.entries(schema.properties ?? {}).map(([name, one]) => [name, one, schema.required?.includes(name), one.description]);

function operation(path, method, one) {
  const body = one.requestBody?.content?.["application/json"]?.schema;
  const parameters = (one.parameters ?? []).map((given) => [given.name, given.schema, given.required, `${given.in}${given.description ? `: ${given.description}` : ""}`]);
  const answers = Object.entries(one.responses ?? {}).filter(([status]) => !/XX/.test(status)).map(([status, answer]) =>
    el("li", {}, el("strong", {}, status), " ", ...Object.entries(answer.content ?? { "": null }).flatMap(([media, content], n) => [n ? ", or " : "", media, content?.schema && media.includes("json") ? [": ", type(content.schema)] : ""]).flat()));
  return el("details", { class: "card operation", id: one.operationId },
    el("summary", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), " ", el("code", {}, path), " ", el("span", { class: "soft" }, one.summary ?? "")),
    ...(parameters.length ? [el("h4", {}, "Parameters"), fields(`Parameters of ${path}`, parameters)] : []),
    ...(body ? [el("h4", {}, "Body"), el("p", {}, type(body))] : []),
    el("h4", {}, "Answers"), el("ul", {}, ...answers));
}

function schema(name, one) {
  const choices = one.oneOf ?? [];
  return el("details", { class: "card", id: name }, el("summary", {}, el("code", {}, name), " ", el("span", { class: "soft" }, one.description ?? "")),
    ...(one.properties ? [fields(`Fields of ${name}`, properties(one))] : []),
    ...choices.map((choice, n) => fields(`${name}, form ${n + 1}`, properties(choice))),
    ...(one.properties || choices.length ? [] : [el("p", {}, type(one))]));
}

function opened() {
  const at = document.getElementById(location.hash.slice(1));
  if (at?.tagName === "DETAILS") { at.open = true; at.scrollIntoView(); at.querySelector("summary").focus(); }
}

async function read() {
  const answer = await fetch(`${base}/openapi.json`);
  const api = await answer.json();
  view.replaceChildren(el("h2", {}, `${api.info.title} ${api.info.version}`), el("p", { class: "soft" }, api.info.description, " ", el("a", { href: `${base}/openapi.json` }, "openapi.json")),
    el("h3", {}, "Routes"), ...Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operation(path, method, one))),
    el("h3", {}, "Schemas"), ...Object.entries(api.components.schemas).map(([name, one]) => schema(name, one)));
  opened();
}

window.addEventListener("hashchange", opened);
read().catch(() => view.replaceChildren(el("p", { class: "notice", role: "alert" }, "The description of the API cannot be read: check that the server runs.")));
