// Code as lines of coloured text nodes. One pass over the text; what matches becomes a span, never markup.
import { el } from "./dom.js";

const WORDS = {
  py: "and as assert async await break class continue def del elif else except finally for from global if import in is lambda None nonlocal not or pass raise return self True False try while with yield",
  sql: "create table index unique on primary key references not null default check in insert into values select from where update set delete and or generated always as identity between is constraint cascade begin commit alter add view",
  js: "async await break case catch class const continue default delete else export extends finally for from function if import in instanceof let new null of return static super switch this throw true false try typeof undefined var void while yield interface type enum implements",
  rs: "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true false type unsafe use where while",
  go: "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var nil true false",
};
const SAME = { ts: "js", tsx: "js", jsx: "js", mjs: "js", yml: "yaml", pyi: "py" };
const HASH = ["py", "yaml", "txt", "sh", "toml", "rb", "tf"];

function pattern(name) {
  const last = name.split(".").pop();
  const kind = SAME[last] || last;
  const slashes = ["js", "rs", "go", "java", "c", "cpp", "cs", "css", "php"].includes(kind);
  const notes = kind === "sql" ? "--[^\\n]*" : kind === "md" ? "^#{1,6} [^\\n]*" : HASH.includes(kind) ? "#[^\\n]*" : slashes ? "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?\\*\\/" : "(?!)";
  const texts = kind === "md" ? "`[^`\\n]+`" : '"""[\\s\\S]*?"""|"(?:\\\\.|[^"\\\\\\n])*"|\'(?:\\\\.|[^\'\\\\\\n])*\'';
  const words = WORDS[kind] ? `\\b(?:${WORDS[kind].replace(/ /g, "|")})\\b` : kind === "yaml" ? "^[ \\t-]*[\\w-]+(?=:)" : "(?!)";
  return new RegExp(`(?<note>${notes})|(?<text>${texts})|(?<word>${words})|(?<figure>\\b\\d[\\d._]*\\b)`, kind === "sql" ? "gim" : "gm");
}

// Characters that cannot be seen, or that turn text around: shown by their numbers. ZWJ and ZWNJ belong to scripts and emoji.
const UNSEEN = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** The text as nodes, with a mark for each character that cannot be seen. */
export function visible(text) {
  const out = [];
  let last = 0;
  for (const found of text.matchAll(UNSEEN)) {
    if (found.index > last) out.push(text.slice(last, found.index));
    const code = `U+${found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    out.push(el("mark", { title: "a character that cannot be seen" }, code));
    last = found.index + found[0].length;
  }
  if (last < text.length) out.push(text.slice(last));
  return out;
}

export const line = () => el("span", { class: "line" });

/** The lines of a file; without `name` in one colour. */
export function lines(text, name) {
  const all = [line()];
  const put = (piece, kind) => {
    piece.split("\n").forEach((part, n) => {
      if (n) all.push(line());
      if (part) all[all.length - 1].append(...(kind ? [el("span", { class: kind }, ...visible(part))] : visible(part)));
    });
  };
  let last = 0;
  if (name && text.length < 400_000) {
    for (const found of text.matchAll(pattern(name))) {
      put(text.slice(last, found.index));
      put(found[0], Object.keys(found.groups).find((key) => found.groups[key] !== undefined));
      last = found.index + found[0].length;
    }
  }
  put(text.slice(last));
  if (all.length > 1 && text.endsWith("\n")) all.pop();
  return all;
}
