import { cruNames } from "../nn/cru.js";

/** What wrappers of a whole module put before every name: DataParallel, torch.compile, and trainers' own classes. */
const prefixes = ["module.", "_orig_mod.", "model.", "net."];

/** The names without what a wrapper put before all of them; in pairs with the names as they were. */
export function unwrapped(names: Iterable<string>, known: ReadonlySet<string>): Map<string, string> {
  let pairs = [...names].map((name) => [name, name] as const);
  for (;;) {
    const prefix = prefixes.find((p) => pairs.every(([name]) => name.startsWith(p)));
    // A network may call its own first part "net".
    if (prefix === undefined || pairs.length === 0 || pairs.some(([name]) => known.has(name))) break;
    pairs = pairs.map(([name, was]) => [name.slice(prefix.length), was] as const);
  }
  return new Map(pairs);
}

/** The parts of SCConv in the common PyTorch port, and here (SPEC.md, "Names in public ports"). */
const port: readonly (readonly [theirs: string, ours: string])[] = [
  ["SRU.gn.weight", "sru.gn.weight"],
  ["SRU.gn.bias", "sru.gn.bias"],
  ["CRU.squeeze1.weight", cruNames.squeezeUp],
  ["CRU.squeeze2.weight", cruNames.squeezeLow],
  ["CRU.GWC.weight", cruNames.gwc],
  ["CRU.GWC.bias", cruNames.gwcBias],
  ["CRU.PWC1.weight", cruNames.pwc1],
  ["CRU.PWC2.weight", cruNames.pwc2],
];

/** Our name of a parameter of the common port's SCConv, or undefined where it is none. */
export function fromPort(name: string): string | undefined {
  for (const [theirs, ours] of port) {
    if (name === theirs) return ours;
    if (name.endsWith(`.${theirs}`)) return name.slice(0, -theirs.length) + ours;
  }
  return undefined;
}
