/** A pattern over names: `*` is any text, `?` one character. */
export interface Glob {
  readonly pattern: string;
  test(name: string): boolean;
}

/** Patterns separated by commas. */
export const globs = (patterns: string): Glob[] =>
  patterns
    .split(",")
    .map((p) => p.trim())
    .filter(Boolean)
    .map((pattern) => {
      const source = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*/g, ".*")
        .replace(/\?/g, ".");
      const expression = new RegExp(`^${source}$`);
      return { pattern, test: (name) => expression.test(name) };
    });
