// A run of the model as it happens: what is under way, Stop, what it cost so far, and how to go on.
import { events, fail, clear, get, Problem, unique } from "./api.js";
import { button, el, money, say } from "./dom.js";

const WHY = {
  retry: "The model is asked again", repeat: "The model is asked once more", fallback: "Another model is asked", failover: "Another region is asked", downgrade: "A cheaper model is asked",
  without: "The model is asked again", resume: "The answer was cut; the rest is asked for", repair: "The checks found errors; they are repaired", escalate: "A larger model is asked",
};

/** Buttons and words around one run at a time. `view` shows its files. */
export class Run {
  constructor(view, expected = 0) {
    Object.assign(this, { view, expected, controller: null });
    this.words = el("p", { class: "state", role: "status" });
    this.stop = button("Stop", () => this.controller?.abort(), "quiet", { hidden: true });
    this.bill = el("p", { class: "bill" });
    this.root = el("div", { class: "bar run" }, this.words, this.stop);
  }

  get isUnderWay() { return this.controller !== null; }

  /** Sends, shows and returns the result; none where it was stopped or failed, and `again` is offered. */
  async start({ path, body, again, keyed = false, what = "the files" }) {
    if (this.controller) return null;
    clear();
    this.controller = new AbortController();
    this.missed = null;
    this.key = keyed ? this.key ?? unique() : undefined;
    this.stop.hidden = false;
    this.stop.focus({ preventScroll: true });
    this.words.textContent = `Thinking about ${what}…`;
    this.bill.textContent = "";
    const spent = await this.spent();
    this.view.begin();
    this.view.root.hidden = !this.expected;
    this.root.scrollIntoView({ block: "start" });
    let result = null;
    try {
      await events(path, body, (name, data) => { result = this.take(name, data) ?? result; }, { signal: this.controller.signal, key: this.key });
      if (!result) throw new Problem({ detail: "The connection broke. What is finished is kept: try again to go on." }, 0);
      this.key = undefined;
    } catch (problem) {
      const stopped = problem.name === "AbortError";
      if (!stopped && problem.status !== 0) this.key = undefined;
      this.words.textContent = stopped ? "Stopped. Finished files are kept; go on whenever you like." : "Not finished.";
      if (stopped) say("Stopped.");
      this.cost(spent);
      // Whoever looks at something else meanwhile is told when they come back.
      if (this.root.isConnected) fail(problem, again); else if (!stopped) this.missed = [problem, again];
    } finally {
      this.controller = null;
      this.waited();
      this.stop.hidden = true;
      this.view.end(result?.diagnostics ?? []);
    }
    return result;
  }

  /** The reader is back at the view of this run. */
  back() {
    if (this.missed) fail(...this.missed);
    this.missed = null;
  }

  take(name, data) {
    if (name === "error") throw new Problem(data.problem, data.problem.status);
    if (name === "finished") return data.generation;
    if (name === "notice") {
      // Only what was cut goes on where it ended; any other attempt begins anew.
      if (data.why !== "resume") this.anew?.();
      this.wait(data);
    } else this.waited();
    if (name === "text") this.said?.(data.text);
    if (name.startsWith("file.")) {
      this.view.root.hidden = false;
      this.view.take(name, data);
      if (name !== "file.chunk") {
        const of = this.expected ? ` of ${this.expected}` : "";
        this.words.textContent = `Writing ${data.path || "a file"} · ${this.view.finished}${of} ready`;
      }
    }
    return null;
  }

  /** Why the model is asked another time, and the seconds until then. */
  wait(data) {
    this.waited();
    const words = WHY[data.why.split(" ")[0]] ?? data.why;
    let left = Math.ceil(data.wait_seconds ?? 0);
    const tick = () => {
      this.words.textContent = `${data.cause ? `${data.cause.replace(/\.$/, "")}. ` : ""}${words}${left > 0 ? ` in ${left} s` : ""}: ${data.model}`;
      if (left-- > 0) this.ticking = setTimeout(tick, 1000);
    };
    tick();
  }

  waited() { clearTimeout(this.ticking); }

  async spent() {
    try { return (await get("/budget")).spent; } catch { return null; }
  }

  /** What a run that ended early cost: what was spent meanwhile. */
  async cost(before) {
    const after = await this.spent();
    if (before === null || after === null || Number(after) <= Number(before)) return;
    this.bill.textContent = `So far it cost about $${(Number(after) - Number(before)).toFixed(4)}.`;
  }

  /** The result in a line, and its price. */
  told(result, good) {
    const errors = result.diagnostics.filter((one) => one.severity === "error").length;
    this.words.textContent = result.accepted ? good : !result.files.length ? "There is no file in this answer." : `${result.files.length} files are written; the checks found ${errors || "something"} to repair.`;
    const price = result.sample ? "$0 (a sample answer, no model was asked)" : money(result.receipt?.total_usd);
    this.bill.textContent = [result.model || "no model was asked", price, result.cached ? "from the cache" : null].filter(Boolean).join(" · ");
  }
}
