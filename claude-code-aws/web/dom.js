// Elements and messages. Whatever a model or a server says enters the page as text (textContent), never as markup.

export const $ = (id) => document.getElementById(id);

/** An element: properties, `on…` listeners and `data-`/`aria-` attributes by name, then children (text or elements). */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value === true ? "" : value);
    else if (name === "class") made.className = value;
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

export const button = (text, onclick, kind = "quiet", more = {}) => el("button", { type: "button", class: kind, onclick, ...more }, text);

/** Sets who hears it: a status line for screen readers and eyes. */
export function say(text) { $("status").textContent = text; }

/** Asks before something is lost. Resolves to true or false. */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const box = $("ask");
    const done = (answer) => { box.close(); resolve(answer); };
    box.replaceChildren(
      el("p", { id: "ask-text" }, question),
      el("div", { class: "row" }, button(yes, () => done(true), "bad"), button("Keep it", () => done(false))),
    );
    box.oncancel = () => resolve(false);
    box.showModal();
  });
}

let pending = null;

/** A note with an undo for a few seconds; `gone` runs when the time is over, with the next note, or when the page ends. */
export function undoable(text, undo, gone) {
  pending?.();
  const note = $("undo");
  const end = (then) => () => { clearTimeout(timer); pending = null; note.hidden = true; then(); };
  const timer = setTimeout(() => pending(), 8000);
  pending = end(gone);
  note.replaceChildren(text, " ", button("Undo", end(undo)));
  note.hidden = false;
}
window.addEventListener("pagehide", () => pending?.());

export const money = (text) => (text === null || text === undefined ? "price unknown" : text === "0" ? "$0" : `$${text}`);

export function when(iso) {
  if (!iso) return "";
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** A text box that grows with its wrapped text. */
export function growing(box) {
  const grow = () => { box.style.height = "auto"; box.style.height = `${Math.min(box.scrollHeight + 2, 320)}px`; };
  box.addEventListener("input", grow);
  queueMicrotask(grow);
  return box;
}
