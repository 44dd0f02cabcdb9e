import type { Graph } from "./ir.js";

/** The names of a graph under construction: which are taken, and under which scope new ones are made. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #counters = new Map<string, number>();
  #scope: readonly string[] = [];

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** Keeps `name` from being given to something new. */
  take(name: string): void {
    this.#taken.add(name);
  }

  /** Names made inside `body` start with `name.` behind the scope that there is. */
  within<T>(name: string, body: () => T): T {
    return this.#under([...this.#scope, name], body);
  }

  /** Names made inside `body` have no scope. */
  atTop<T>(body: () => T): T {
    return this.#under([], body);
  }

  #under<T>(scope: readonly string[], body: () => T): T {
    const before = this.#scope;
    this.#scope = scope;
    try {
      return body();
    } finally {
      this.#scope = before;
    }
  }

  /** `name` under the current scope; exact, not made unique. */
  scoped(name: string): string {
    return [...this.#scope, name].filter(Boolean).join(".");
  }

  /** A name under the current scope that nothing had yet, and that is taken now. */
  fresh(hint: string): string {
    const base = this.scoped(hint);
    let name = base;
    let i = this.#counters.get(base) ?? 0;
    while (this.#taken.has(name)) name = `${base}_${++i}`;
    if (i > 0) this.#counters.set(base, i);
    this.#taken.add(name);
    return name;
  }
}

/** The names that a graph's values have. */
export function namesOf({ inputs, initializers, nodes }: Graph): Names {
  const names = new Names();
  for (const { name } of inputs) names.take(name);
  for (const name of initializers.keys()) names.take(name);
  for (const { outputs } of nodes) for (const name of outputs) names.take(name);
  return names;
}
