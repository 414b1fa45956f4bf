// What a model says in words: paragraphs, headings, lists and code blocks as elements. Its text stays text.
import { lines, visible } from "./colours.js";
import { el } from "./dom.js";

/** Marks within a line: `code` and **strong**. */
function inline(text) {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/).flatMap((part) => {
    if (/^`[^`]+`$/.test(part)) return [el("code", {}, ...visible(part.slice(1, -1)))];
    if (/^\*\*[^*]+\*\*$/.test(part)) return [el("strong", {}, ...visible(part.slice(2, -2)))];
    return visible(part);
  });
}

/** The text as elements. */
export function prose(text) {
  const out = [];
  let list = null, words = [], fence = null;
  const flush = () => {
    if (words.length) out.push(el("p", {}, ...inline(words.join("\n"))));
    words = [];
    list = null;
  };
  for (const one of text.split("\n")) {
    const mark = /^\s*(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(one);
    if (fence) {
      if (mark && one.trim().startsWith(fence.mark) && !mark[2]) { out.push(fence.block()); fence = null; } else fence.lines.push(one);
      continue;
    }
    if (mark) { flush(); fence = begin(mark[1], mark[2]); continue; }
    const heading = /^(#{1,6})\s+(.*)/.exec(one);
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)/.exec(one);
    if (heading) { flush(); out.push(el(heading[1].length < 3 ? "h3" : "h4", {}, ...inline(heading[2]))); continue; }
    if (item) {
      const kind = item[1] ? "ol" : "ul";
      if (list?.localName !== kind) { flush(); list = el(kind, item[1] ? { start: Number(item[1]) } : {}); out.push(list); }
      list.append(el("li", {}, ...inline(item[2])));
      continue;
    }
    if (!one.trim()) { flush(); continue; }
    if (list && /^\s/.test(one)) { list.lastElementChild.append(" ", ...inline(one.trim())); continue; }
    if (list) flush();
    words.push(one);
  }
  if (fence) out.push(fence.block());
  flush();
  return out;
}

function begin(mark, language) {
  const kept = [];
  const block = () => el("pre", { tabIndex: 0, role: "region", "aria-label": "Code in the text" }, el("code", {}, ...lines(kept.join("\n"), `x.${SHORT[language] ?? language}`)));
  return { mark, lines: kept, block };
}

const SHORT = { python: "py", javascript: "js", typescript: "ts", rust: "rs", bash: "sh", markdown: "md" };

/** What an answer says beside its files: their blocks are left out. */
export function beside(text, files) {
  const known = new Set(files.map((file) => (file.content ?? "").trim()));
  return text
    .replace(/^=== file (\S+): .*\n[\s\S]*?^=== end \1: .*$/gm, "").replace(/^=== no change \S+ ===$/gm, "")
    .replace(/^(`{3,}|~{3,}).*\n([\s\S]*?)^\1[ \t]*$/gm, (block, _, body) => (known.has(body.trim()) ? "" : block))
    .trim();
}
