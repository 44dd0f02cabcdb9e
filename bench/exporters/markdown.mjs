// Tables and legends of the generated page.

export const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows.map((r) => `| ${r.join(" | ")} |`),
  ].join("\n");

/** a, b … in the order in which they are asked for; `legend` lists them. */
export function letters(prefix = "") {
  const known = new Map();
  const letter = (i) => (i < 26 ? "" : letter(Math.floor(i / 26) - 1)) + String.fromCharCode(97 + (i % 26));
  return {
    of: (text) => {
      if (!known.has(text)) known.set(text, prefix + letter(known.size));
      return known.get(text);
    },
    legend: () => [...known].map(([text, name]) => `- **${name}**: ${text}`).join("\n"),
  };
}
