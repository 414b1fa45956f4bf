// What changed between two texts, line by line (Myers' greedy algorithm, bounded).
import { el } from "./dom.js";
import { visible } from "./colours.js";

const MOST = 2000;
const AROUND = 3;

/** [sign, line] pairs: " " kept, "-" gone, "+" new. */
export function changes(before, after) {
  const a = before.split("\n"), b = after.split("\n");
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = between(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const kept = (from) => from.map((text) => [" ", text]);
  return [...kept(a.slice(0, start)), ...middle, ...kept(a.slice(a.length - end))];
}

function between(a, b) {
  const whole = () => [...a.map((text) => ["-", text]), ...b.map((text) => ["+", text])];
  if (!a.length || !b.length) return whole();
  const most = Math.min(a.length + b.length, MOST);
  const trace = [];
  let reach = { 1: 0 };
  for (let d = 0; d <= most; d++) {
    trace.push({ ...reach });
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && reach[k - 1] < reach[k + 1]) ? reach[k + 1] : reach[k - 1] + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) { x++; y++; }
      reach[k] = x;
      if (x >= a.length && y >= b.length) return back(trace, a, b);
    }
  }
  return whole();
}

function back(trace, a, b) {
  const out = [];
  let x = a.length, y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d], k = x - y;
    const from = k === -d || (k !== d && reach[k - 1] < reach[k + 1]) ? k + 1 : k - 1;
    const px = d ? reach[from] : 0, py = d ? px - from : 0;
    while (x > px && y > py) { out.push([" ", a[--x]]); y--; }
    if (d) out.push(x > px ? ["-", a[--x]] : ["+", b[--y]]);
  }
  return out.reverse();
}

/** The changes of a file as an element; unchanged stretches are folded. */
export function shown(before, after) {
  const all = changes(before, after);
  const near = all.map((_, n) => all.slice(Math.max(0, n - AROUND), n + AROUND + 1).some(([sign]) => sign !== " "));
  const out = el("code", { class: "diff" });
  all.forEach(([sign, text], n) => {
    if (near[n]) {
      const kind = { "+": "new", "-": "gone", " ": "" }[sign];
      out.append(el("span", { class: `row-of ${kind}` }, `${sign} `, ...visible(text)));
    } else if (n === 0 || near[n - 1]) out.append(el("span", { class: "row-of fold" }, "…"));
  });
  return out;
}

/** How many lines are new and gone. */
export function counted(before, after) {
  const all = changes(before, after);
  return { added: all.filter(([sign]) => sign === "+").length, gone: all.filter(([sign]) => sign === "-").length };
}
