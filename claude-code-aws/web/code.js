// The code view: file tabs, lines with numbers, tools, and findings that jump to their line.
import { button, el, save, say } from "./dom.js";
import { line, lines, visible } from "./colours.js";
import { counted, shown as diff } from "./diff.js";
import { prose } from "./prose.js";

/** A view of files that may still be written. `expected` are names that will come. */
export class CodeView {
  constructor({ expected = [], label = "Files" } = {}) {
    Object.assign(this, { expected, files: new Map(), before: new Map(), findings: [], shown: null, chosen: false, follow: true, changes: false, reading: false });
    this.tabs = el("div", { class: "tabs", role: "tablist", "aria-label": label });
    this.path = el("p", { class: "path" });
    this.code = el("code");
    this.pre = el("pre", { tabIndex: 0, "aria-label": "Code", role: "region" }, this.code);
    this.count = el("span", { class: "soft", role: "status" });
    this.find = el("input", { type: "search", placeholder: "Find", "aria-label": "Find in this file", onkeydown: (event) => this.seek(event), oninput: () => this.mark() });
    this.wrap = button("Wrap", () => this.toggle(this.wrap, "wrapped"), "quiet small", { "aria-pressed": "false" });
    this.followed = button("Follow", () => { this.follow = !this.follow; this.pressed(this.followed, this.follow); }, "quiet small", { "aria-pressed": "true", hidden: true });
    this.compare = button("Changes", () => { this.changes = !this.changes; this.pressed(this.compare, this.changes); this.show(this.shown); }, "quiet small", { "aria-pressed": "false", hidden: true });
    this.read = button("Read", () => { this.reading = !this.reading; this.show(this.shown); }, "quiet small", { hidden: true });
    this.page = el("div", { class: "prose", hidden: true });
    this.copied = button("Copy", () => this.copy(), "quiet small");
    this.one = button("Download", () => save(new Blob([this.file().text], { type: "text/plain" }), this.shown.split("/").pop()), "quiet small");
    this.list = el("ul", { class: "findings", "aria-label": "What the checks found" });
    this.panel = el("div", { class: "panel", role: "tabpanel", "aria-label": "File" },
      el("div", { class: "bar" }, this.path, el("div", { class: "tools" }, this.find, this.count, this.compare, this.followed, this.read, this.wrap, this.copied, this.one)),
      this.pre, this.page);
    this.root = el("div", { class: "code-view" }, this.list, el("div", { class: "files" }, this.tabs, this.panel));
    this.tabs.addEventListener("keydown", (event) => this.arrow(event));
    this.draw();
  }

  file(name = this.shown) { return this.files.get(name); }
  names() { return [...new Set([...this.expected, ...this.files.keys()])]; }
  pressed(which, on) { which.setAttribute("aria-pressed", String(on)); }
  toggle(which, kind) { this.pressed(which, this.pre.classList.toggle(kind)); }

  /** Whole files at once: of something stored. */
  load(files, findings = []) {
    this.files = new Map(files.map((file) => [file.path || `(unnamed ${file.language})`, { text: file.content ?? "", done: file.complete !== false, revision: 0 }]));
    this.against([]);
    this.changes = false;
    this.pressed(this.compare, false);
    this.found(findings);
    const bad = findings.find((one) => one.severity === "error" && this.files.has(one.path));
    this.show(this.shown && this.files.has(this.shown) ? this.shown : bad?.path || this.names()[0]);
  }

  /** What was there before, for the changes. */
  against(files) { this.before = new Map(files); this.compare.hidden = !this.before.size; }

  found(findings) {
    this.findings = findings;
    this.list.replaceChildren(...findings.map((one) => el("li", {}, el("button", {
      type: "button", class: `finding ${one.severity}`, onclick: () => this.jump(one.path, one.line),
    }, el("strong", {}, one.severity === "error" ? "Error" : "Note"), ` ${one.path || "(unnamed)"}${one.line ? `:${one.line}` : ""} `, ...visible(one.message)))));
    this.draw();
  }

  state(name) {
    const file = this.files.get(name);
    if (!file) return ["", "waiting"];
    if (!file.done) return this.live ? ["writing", "being written"] : ["broken", "unfinished"];
    const own = this.findings.filter((one) => one.path === name);
    if (own.some((one) => one.severity === "error")) return ["broken", "has errors"];
    return own.length ? ["noted", "has notes"] : ["ready", "written"];
  }

  draw() {
    const had = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...this.names().map((name, n) => {
      const [kind, words] = this.state(name);
      return el("button", {
        type: "button", role: "tab", class: kind, "aria-selected": String(name === this.shown), "aria-label": `${name}, ${words}`,
        tabIndex: name === (this.shown || this.names()[0]) || (!this.shown && n === 0) ? 0 : -1,
        onclick: () => { this.chosen = true; this.show(name); },
      }, ...visible(name));
    }));
    if (had) this.tabs.querySelector('[aria-selected="true"]')?.focus();
  }

  arrow(event) {
    const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
    const all = this.names();
    const at = all.indexOf(this.shown);
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : event.key in moves ? (at + moves[event.key] + all.length) % all.length : null;
    if (to === null) return;
    event.preventDefault();
    this.chosen = true;
    this.show(all[to]);
    this.tabs.children[to].focus();
  }

  show(name) {
    this.shown = name;
    this.draw();
    const file = this.file();
    this.path.replaceChildren(...visible(name || ""), file && !file.done && this.live ? " · being written" : "");
    for (const tool of [this.one, this.copied]) tool.disabled = !file;
    this.count.textContent = "";
    const page = Boolean(file?.done && name.endsWith(".md")), read = page && this.reading && !this.changes;
    this.read.hidden = !page;
    this.pressed(this.read, read);
    this.pre.hidden = read;
    this.page.hidden = !read;
    this.page.replaceChildren(...(read ? prose(file.text) : []));
    if (!file) { this.code.replaceChildren(); return; }
    const old = this.before.get(name);
    if (this.changes && file.done && this.before.size) {
      this.code.replaceChildren(diff(old ?? "", file.text));
      const { added, gone } = counted(old ?? "", file.text);
      this.path.append(old === undefined ? " · new file" : ` · ${added} new, ${gone} gone`);
      return;
    }
    this.code.replaceChildren(...lines(file.text, file.done ? name : ""));
  }

  jump(path, number) {
    this.chosen = true;
    this.changes = this.reading = false;
    this.pressed(this.compare, false);
    if (this.files.has(path)) this.show(path);
    const at = this.code.children[Math.max(0, (number || 1) - 1)];
    this.code.querySelectorAll(".here").forEach((one) => one.classList.remove("here"));
    at?.classList.add("here");
    this.pre.focus({ preventScroll: true });
    this.pre.scrollIntoView({ block: "nearest" });
    at?.scrollIntoView({ block: "center" });
  }

  mark() { this.at = -1; this.count.textContent = ""; }

  seek(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (this.reading) { this.reading = false; this.show(this.shown); }
    const wanted = this.find.value.toLowerCase();
    const all = wanted ? (this.file()?.text.split("\n") ?? []).flatMap((text, n) => (text.toLowerCase().includes(wanted) ? [n] : [])) : [];
    if (!all.length) { this.count.textContent = wanted ? "not found" : ""; return; }
    this.at = ((this.at ?? -1) + (event.shiftKey ? all.length - 1 : 1) + all.length) % all.length;
    this.code.querySelectorAll(".here").forEach((one) => one.classList.remove("here"));
    const hit = this.code.children[all[this.at]];
    hit?.classList.add("here");
    hit?.scrollIntoView({ block: "center" });
    this.count.textContent = `${this.at + 1} of ${all.length}`;
  }

  async copy() {
    try { await navigator.clipboard.writeText(this.file().text); say(`${this.shown} is copied.`); }
    catch { say("The browser does not let this page copy: select the code and copy it by hand."); }
  }

  /** A live run begins: earlier files stay as what is compared with. */
  begin() {
    this.live = true;
    this.chosen = false;
    this.files = new Map();
    this.found([]);
    this.followed.hidden = false;
    this.show(this.names()[0]);
  }

  end(findings = this.findings) {
    this.live = false;
    this.followed.hidden = true;
    this.found(findings);
    const bad = findings.find((one) => one.severity === "error" && this.files.has(one.path));
    if (!this.chosen) this.show(bad?.path || this.names()[0]);
    else this.show(this.shown);
  }

  /** An event of a file. */
  take(name, data) {
    const path = data.path || `(unnamed ${(data.index ?? 0) + 1})`;
    const file = this.files.get(path);
    if (name === "file.started" && (!file || data.revision >= file.revision)) {
      this.files.set(path, { text: "", revision: data.revision, done: false });
      if (this.chosen) this.draw(); else this.show(path);
    } else if (file && data.revision === file.revision && name === "file.chunk") {
      file.text += data.text;
      if (this.shown === path) this.append(data.text);
    } else if (file && data.revision === file.revision && name === "file.finished") {
      file.done = data.complete;
      if (this.shown === path) this.show(path); else this.draw();
    }
  }

  append(text) {
    let last = this.code.lastElementChild;
    if (!last) this.code.append((last = line()));
    text.split("\n").forEach((part, n) => {
      if (n) this.code.append((last = line()));
      if (part) last.append(...visible(part));
    });
    if (this.follow) this.pre.scrollTop = this.pre.scrollHeight;
  }

  get finished() { return [...this.files.values()].filter((file) => file.done).length; }
}
