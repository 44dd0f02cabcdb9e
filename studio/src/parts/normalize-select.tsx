const known = ["none", "imagenet", "cifar10", "cifar100"];

interface Props {
  readonly value: string;
  /** The model itself says so. */
  readonly own: boolean;
  onValue(name: string): void;
}

/** How images are normalised before the model sees them. */
export function NormalizeSelect({ value, own, onValue }: Props) {
  return (
    <label class="inline" title="How images are normalised before the model sees them">
      Normalised
      <select value={value} onChange={(e) => onValue(e.currentTarget.value)}>
        {[...known, ...(known.includes(value) ? [] : [value])].map((n) => (
          <option key={n} value={n}>
            {n === "none" ? "not: 0 … 1" : n}
            {n === value && own ? " (the model says so)" : ""}
          </option>
        ))}
      </select>
    </label>
  );
}
