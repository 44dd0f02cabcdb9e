/** Of the parts of the page that look into the network. */
export const insideStyle = `
.panel h3 { font: 600 0.92rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; margin: 1.6rem 0 0.6rem; }
.panel > p:first-child { margin: 0 0 0.8rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 1.6rem; }
figure { margin: 0; min-width: 0; display: flex; flex-direction: column; justify-content: space-between; } figcaption { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.5rem; } figcaption b { color: var(--ink); margin-right: 0.4rem; }
svg.maps { margin: 0; max-width: 38rem; } svg.maps image { image-rendering: pixelated; }
svg.maps .edge { stroke: var(--rule); } svg.maps text { stroke-width: 3px; } svg.maps text[font-weight="700"] { fill: var(--ink); }
.fed { display: flex; gap: 1.2rem; align-items: flex-start; } .fed p { margin: 0; color: var(--soft); font-size: 0.88rem; }
.fed img { width: 6rem; height: auto; flex: none; border-radius: 4px; image-rendering: pixelated; }
td.dots { min-width: 7.4rem; text-align: left; } td.dots .track { height: 12px; margin-top: 4px; }
.track.middle::before { content: ""; position: absolute; left: 50%; top: 0; bottom: 0; border-left: 1px dashed var(--before); }
td.dots .track i { top: 5px; bottom: 5px; min-width: 0; border-radius: 1px; background: var(--before); }
.mark { display: inline-block; width: 10px; height: 10px; border-radius: 5px; background: var(--card); border: 2px solid var(--soft); }
.mark.new { background: var(--after); border-color: var(--after); }
.track b.mark { position: absolute; top: 1px; bottom: auto; width: 10px; margin-left: -5px; border-radius: 5px; background: var(--card); }
.track b.mark.new { background: var(--after); width: 8px; height: 8px; top: 2px; margin-left: -4px; border-width: 0; }
.panel > p.legend { display: flex; gap: 1.2rem; margin: 0.8rem 0 0.4rem; } .legend .mark { vertical-align: -1px; }
td b { font-weight: 650; } td.chosen { color: var(--after); } td.chosen small { color: inherit; }
@media (max-width: 44rem) { table.stacked td::before { display: block; } .fed img { width: 4rem; } }
@media (max-width: 36rem) { svg.maps text { transform: translateY(5px); } }
`;
