import { printable } from "scconv";

interface Layer {
  readonly name: string;
  readonly op: string;
}

interface Props {
  readonly layers: readonly Layer[];
  readonly value: string | undefined;
  onValue(name: string): void;
}

/** A layer that makes feature maps. */
export function LayerSelect({ layers, value, onValue }: Props) {
  const main = layers.filter((l) => l.op === "Conv" || l.op === "SCConv");
  const others = layers.filter((l) => !main.includes(l));
  const options = (of: readonly Layer[]) =>
    of.map((l, i) => (
      <option key={i} value={l.name}>
        {printable(l.name, 120)}
        {l.op === "Conv" ? "" : ` (${l.op})`}
      </option>
    ));
  return (
    <label class="inline grow">
      Layer
      <select
        disabled={layers.length === 0}
        value={value ?? ""}
        onChange={(e) => onValue(e.currentTarget.value)}
      >
        <optgroup label="Convolutions and units">{options(main)}</optgroup>
        {others.length > 0 && <optgroup label="Other nodes">{options(others)}</optgroup>}
      </select>
    </label>
  );
}
