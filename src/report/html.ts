/** Markup that is safe to put into a page as it is. */
export interface Html {
  readonly markup: string;
}

type Part = Html | string | number | undefined | readonly Part[];

/** A template whose values are escaped, unless they are markup themselves: names from files are data. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return { markup: strings.reduce((all, s, i) => all + s + (i < values.length ? show(values[i]) : ""), "") };
}

function show(value: Part): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeText(`${value}`);
  if (isHtml(value)) return value.markup;
  return value.map(show).join("");
}

const isHtml = (value: Html | readonly Part[]): value is Html => "markup" in value;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Also without what is invisible or turns the direction of text, which could make a name read as another. */
const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => entities[c]!).replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "\ufffd");
