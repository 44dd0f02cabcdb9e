/** The page's style: one sheet, both themes, no fonts or pictures from elsewhere. */
export const style = `
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #626a73; --rule: #e3e0d8;
  --before: #b9b4a8; --after: #0b6e78; --wash: #0b6e7814; --good: #19704a; --bad: #a93226; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171a; --card: #1b1f23; --ink: #e8e6e1; --soft: #9aa2ab; --rule: #2c3238;
  --before: #59616a; --after: #5cc3cd; --wash: #5cc3cd1f; --good: #6cc79b; --bad: #ee8a7c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
header p { margin: 0; color: var(--soft); }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.1rem 0 0.8rem; overflow-wrap: anywhere; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 2.6rem 0 0.8rem; font-weight: 650; }
.verdict { list-style: none; margin: 1.2rem 0 0; padding: 0; }
.verdict li { padding: 0.25rem 0 0.25rem 1.5rem; position: relative; }
.verdict li::before { position: absolute; left: 0; font-weight: 700; }
.verdict .good::before { content: "✓"; color: var(--good); }
.verdict .bad::before { content: "!"; color: var(--bad); left: 0.3rem; }
.verdict .bad { font-weight: 600; }
.verdict .plain::before { content: "·"; color: var(--soft); left: 0.3rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: 0.8rem; margin-top: 1.8rem; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 0.9rem 1rem 1rem; }
.card h3 { margin: 0; font-size: 0.85rem; font-weight: 500; color: var(--soft); }
.card .after { font-size: 1.45rem; font-weight: 650; line-height: 1.35; white-space: nowrap; }
.card .before { color: var(--soft); font-size: 0.88rem; }
.bars { margin: 0.6rem 0 0.45rem; }
.bars i { display: block; height: 6px; border-radius: 3px; background: var(--before); min-width: 2px; }
.bars i + i { background: var(--after); margin-top: 4px; }
.change { font-size: 0.88rem; font-weight: 600; }
.change.good { color: var(--good); } .change.bad { color: var(--bad); } .change.plain { color: var(--soft); }
.panel { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem; overflow-x: auto; }
.panel > p { margin: 0.6rem 0 0; color: var(--soft); font-size: 0.88rem; }
svg { display: block; width: 100%; max-width: 46rem; height: auto; margin: 0 auto; }
svg text { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; font-size: 13px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .axis { font-size: 13px; } svg .value { fill: var(--after); font-weight: 650; font-size: 14px; }
svg .grid { stroke: var(--rule); } svg .interval { fill: var(--before); opacity: 0.28; }
svg .reference { stroke: var(--soft); stroke-dasharray: 6 4; stroke-width: 1.5; }
svg .line { fill: none; stroke: var(--after); stroke-width: 2.5; stroke-linejoin: round; } svg .dot { fill: var(--after); }
.spread > div { display: grid; grid-template-columns: 4rem 1fr 16rem; gap: 0.5rem 1rem; align-items: center; padding: 0.2rem 0; }
.track { position: relative; height: 18px; border-radius: 4px; background: var(--wash); }
.track i { position: absolute; top: 4px; bottom: 4px; border-radius: 3px; background: var(--before); min-width: 3px; }
.track b { position: absolute; top: 0; bottom: 0; width: 3px; margin-left: -1.5px; border-radius: 2px; background: var(--ink); }
.track.new i { background: var(--after); }
.num { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.3rem; }
th { text-align: left; font-weight: 500; color: var(--soft); white-space: nowrap; }
th.num { text-align: right; }
th, td { padding: 0.42rem 0.9rem 0.42rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
tr:last-child td { border-bottom: 0; } td:last-child, th:last-child { padding-right: 0; }
td.name, code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.84rem; overflow-wrap: anywhere; }
td.name { min-width: 11rem; } td.swap { white-space: nowrap; }
td small { color: var(--soft); font-size: 0.8rem; }
table.folds td { vertical-align: middle; } table.folds small { overflow-wrap: anywhere; }
pre { margin: 0; font: 0.84rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 0.8rem; } summary { cursor: pointer; color: var(--soft); font-size: 0.92rem; } details .panel { margin-top: 0.6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.2rem; margin: 0; font-size: 0.9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 3rem; color: var(--soft); font-size: 0.85rem; }
@media (max-width: 44rem) {
  table.folds thead { display: none; } table.folds, table.folds tbody { display: block; }
  table.folds tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem 1rem; padding: 0.8rem 0; border-bottom: 1px solid var(--rule); }
  table.folds tr:last-child { border-bottom: 0; }
  table.folds td { border: 0; padding: 0; text-align: left; min-width: 0; white-space: normal; }
  table.folds td.name, table.folds td.wide { grid-column: 1 / -1; }
  table.folds td[data-label]:not(:empty)::before { content: attr(data-label) " "; color: var(--soft); font-size: 0.8rem; }
}
@media (max-width: 36rem) {
  main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.4rem; }
  .cards { grid-template-columns: repeat(2, 1fr); } .card { padding: 0.8rem; } .card .after { font-size: 1.2rem; }
  svg text, svg .axis, svg .value { font-size: 20px; } .spread > div { grid-template-columns: 1fr max-content; gap: 0.1rem 1rem; } .spread .track { grid-column: 1 / -1; order: 1; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; }
}
@media print { body { background: none; } .card, .panel { break-inside: avoid; } }
`;
