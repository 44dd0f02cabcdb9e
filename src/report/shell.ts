import { type Html, html } from "./html.js";
import { style as common } from "./style.js";

/** A page that needs nothing from anywhere else, and may load nothing: pictures are in it. */
export function pageOf({ title, body, style = "" }: { title: string; body: Html; style?: string }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title}</title>
<style>${{ markup: common + style }}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup;
}
