/** The command as it could be typed again. */
export const commandLine = (argv: readonly string[]): string => `scconv ${argv.map(quoted).join(" ")}`;

/** A word of the command line as a shell would take it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
