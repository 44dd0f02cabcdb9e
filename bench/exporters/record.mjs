// What is kept of checks: enough for the page, without the files and without PyTorch. `--json` writes it, `--from` reads it.
import { readFile } from "node:fs/promises";
import { countsOf } from "./counts.mjs";

const sum = (record) => Object.values(record).reduce((a, b) => a + b, 0);

export const resultOf = (results, network, file) =>
  results.get(`${network.name} ${file.exporter}-${file.opset}`);

/** A network without the forms of its weights, with what was counted in its files; `parameters` are all that PyTorch has. */
export function summary({ forms, unused, rounding, ...network }, results) {
  const heads = sum(unused);
  return {
    ...network,
    parameters: sum(network.parameters) + heads,
    checked: new Date().toISOString().slice(0, 10),
    counts: countsOf({ ...network, heads }, (file) => resultOf(results, network, file)),
  };
}

/** `worst`: figures of the page's text, of results that were kept without them. */
export async function readRecord(path) {
  if (path === undefined) return { networks: new Map(), results: new Map() };
  const { networks, results, worst } = JSON.parse(await readFile(path, "utf8"));
  return {
    networks: new Map(networks.map((n) => [n.name, n])),
    results: new Map(Object.entries(results)),
    worst,
  };
}

export const recordText = ({ networks, results, worst }) =>
  `${JSON.stringify({ networks: [...networks.values()], results: Object.fromEntries(results), worst }, undefined, 1)}\n`;
