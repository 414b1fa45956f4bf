// Files that a task is about: chosen from the disk or pasted, each with a name.
import { button, el, growing } from "./dom.js";

const MOST = 1_000_000;

/** A box of given files; `files` are those that have content. */
export class Given {
  constructor(wanted = "Files that it is about") {
    this.rows = el("div", { class: "cards" });
    this.note = el("p", { class: "soft", role: "status" });
    const pick = el("input", { type: "file", multiple: true, class: "unseen", tabIndex: -1, "aria-hidden": "true", onchange: () => this.read(pick) });
    this.pick = pick;
    this.root = el("fieldset", { class: "given" }, el("legend", {}, wanted), this.rows,
      el("div", { class: "row wrap" }, button("Choose files", () => pick.click()), button("Paste another file", () => this.add().querySelector("input").focus()), pick), this.note);
    this.add();
  }

  /** A row for one file. */
  add(path = "", content = "") {
    const name = el("input", { value: path, maxLength: 900, placeholder: "name, such as main.py", "aria-label": "Name of the file", spellcheck: false });
    const text = growing(el("textarea", { value: content, rows: 4, placeholder: "Its code", "aria-label": "Code of the file", spellcheck: false, class: "code" }));
    const [first] = this.rows.children;
    if (content && first && this.rows.children.length === 1 && !first.file().path && !first.file().content) first.remove();
    // The same file chosen again is the file as it is now.
    if (path) [...this.rows.children].find((row) => row.file().path === path)?.remove();
    const row = el("div", { class: "file" }, el("div", { class: "row" }, name, button("Remove", () => {
      row.remove();
      if (!this.rows.children.length) this.add();
      this.rows.querySelector("input").focus();
    })), text);
    row.file = () => ({ path: name.value.trim(), content: text.value });
    this.rows.append(row);
    return row;
  }

  async read(pick) {
    const refused = [];
    for (const file of pick.files) {
      const text = file.size <= MOST ? await file.text() : null;
      if (text === null || text.includes("\0")) { refused.push(file.name); continue; }
      this.add(file.webkitRelativePath || file.name, text);
    }
    pick.value = "";
    this.rows.dispatchEvent(new Event("input", { bubbles: true }));
    this.note.textContent = refused.length ? `Not taken, because it is no text or over 1 MB: ${refused.join(", ")}.` : "";
  }

  get files() {
    return [...this.rows.children].map((row) => row.file()).filter((file) => file.content.trim())
      .map((file, n) => ({ ...file, path: file.path || `file-${n + 1}.txt` }));
  }

  /** Says what is missing, and goes there. False: something is. */
  isComplete() {
    if (this.files.length) return true;
    this.note.textContent = "This is about given code: paste a file or choose one.";
    this.rows.querySelector("textarea").focus();
    return false;
  }
}
