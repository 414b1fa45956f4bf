import { readFile, writeFile } from "node:fs/promises";

export interface Line {
  name: string;
  cents: number;
  count?: number;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: string };

export class StoreError extends Error {
  constructor(message: string, readonly code: number = 500) {
    super(message);
  }
}

export class Store<T extends Line> {
  private readonly lines = new Map<string, T>();

  constructor(private readonly path: string) {}

  async load(): Promise<this> {
    const text = await readFile(this.path, { encoding: "utf-8" });
    for (const line of JSON.parse(text) as T[]) {
      this.lines.set(line.name, line);
    }
    return this;
  }

  find(name: string): Result<T> {
    const line = this.lines.get(name);
    if (line === undefined) {
      return { ok: false, error: `no line ${name}` };
    }
    return { ok: true, value: line };
  }

  total(filter: (line: T) => boolean = () => true): number {
    return [...this.lines.values()].filter(filter).reduce((sum, line) => {
      return sum + line.cents * (line.count ?? 1);
    }, 0);
  }

  async save(): Promise<void> {
    const rows = [...this.lines.values()].map(({ name, cents }) => ({ name, cents }));
    await writeFile(this.path, JSON.stringify(rows, null, 2));
  }
}

export function report(store: Store<Line>): string {
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

export const names = ["tea", "milk", "bread"].map((name) => name.toUpperCase());
