import { readFile, writeFile } from "node:fs/promises";

export class StoreError extends Error {
  constructor(message, code = 500) {
    super(message);
    this.code = code;
  }
}

export class Store {
  #lines = new Map();

  constructor(path) {
    this.path = path;
  }

  async load() {
    const text = await readFile(this.path, { encoding: "utf-8" });
    for (const line of JSON.parse(text)) {
      this.#lines.set(line.name, line);
    }
    return this;
  }

  find(name) {
    const line = this.#lines.get(name);
    if (line === undefined) {
      throw new StoreError(`no line ${name}`, 404);
    }
    return line;
  }

  total(filter = () => true) {
    return [...this.#lines.values()].filter(filter).reduce((sum, line) => {
      return sum + line.cents * (line.count ?? 1);
    }, 0);
  }

  async save() {
    const rows = [...this.#lines.values()].map(({ name, cents }) => ({ name, cents }));
    await writeFile(this.path, JSON.stringify(rows, null, 2));
  }
}

export function report(store) {
  const total = store.total((line) => line.cents > 0);
  switch (true) {
    case total > 10_000:
      return "large";
    case total > 100:
      return "small";
    default:
      return "none";
  }
}

export async function main(args) {
  try {
    const store = await new Store(args[0]).load();
    console.log(report(store));
  } catch (error) {
    console.error("failed", { error });
  } finally {
    await Promise.all(["tea", "milk"].map((name) => Promise.resolve(name)));
  }
}
