import type { UnitSettings } from "../worker/protocol.js";
import { settings, startSettings } from "./choice.js";

type NumberSetting = "alpha" | "squeeze" | "convGroups" | "groups" | "threshold" | "gateBias";
type WordSetting = "gate" | "scope" | "order" | "fuse";

interface NumberProps {
  readonly setting: NumberSetting;
  readonly label: string;
  readonly help: string;
  readonly range: readonly [least: number, most: number, step: number];
}
interface WordProps<K extends WordSetting> {
  readonly setting: K;
  readonly label: string;
  readonly help: string;
  readonly words: Readonly<Record<UnitSettings[K], string>>;
}

const set = (change: Partial<UnitSettings>) => {
  settings.value = { ...settings.value, ...change };
};

/** What takes the convolutions' place. */
export function SettingsForm() {
  return (
    <form class="settings" aria-label="Settings of the unit" onSubmit={(e) => e.preventDefault()}>
      <NumberField
        {...{ setting: "alpha", label: "α", help: "share of the channels in the upper part" }}
        range={[0.125, 0.875, 0.125]}
      />
      <NumberField
        {...{ setting: "squeeze", label: "Squeeze", help: "ratio r of the 1×1 convolutions" }}
        range={[1, 16, 1]}
      />
      <NumberField
        {...{ setting: "convGroups", label: "Groups", help: "of the k×k convolution" }}
        range={[1, 64, 1]}
      />
      <NumberField
        {...{ setting: "groups", label: "Gate's groups", help: "of its normalisation" }}
        range={[1, 64, 1]}
      />
      <WordField
        {...{ setting: "order", label: "Unit", help: "SRU (S), CRU (C), or both" }}
        words={{ sc: "S, then C", cs: "C, then S", parallel: "S + C", s: "S alone", c: "C alone" }}
      />
      <WordField
        {...{ setting: "scope", label: "Gate decides", help: "per channel, it folds away and costs no time" }}
        words={{ element: "per element", channel: "per channel" }}
      />
      <details>
        <summary>More settings</summary>
        <div class="settings">
          <WordField
            {...{ setting: "gate", label: "Gate", help: "how it passes gradients" }}
            words={{ "straight-through": "straight-through", hard: "hard", soft: "soft" }}
          />
          <NumberField
            {...{ setting: "threshold", label: "Threshold", help: "of the gate" }}
            range={[0.05, 0.95, 0.05]}
          />
          <NumberField
            {...{ setting: "gateBias", label: "β at the start", help: "from 2 on the gate begins open" }}
            range={[-4, 8, 0.5]}
          />
          <WordField
            {...{ setting: "fuse", label: "Fuse", help: "softmax over the pair of a channel, or over all" }}
            words={{ pair: "pair", all: "all" }}
          />
          <button
            type="button"
            class="outline secondary"
            disabled={settings.value === startSettings}
            onClick={() => {
              settings.value = startSettings;
            }}
          >
            Reset
          </button>
        </div>
      </details>
    </form>
  );
}

function NumberField({ setting, label, help, range: [min, max, step] }: NumberProps) {
  const id = `setting-${setting}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...{ id, type: "number", min, max, step }}
        aria-describedby={`${id}-help`}
        value={settings.value[setting]}
        onInput={(e) => {
          // What cannot be a number waits until it is one; what no layer takes is said by the table.
          const n = e.currentTarget.valueAsNumber;
          if (Number.isFinite(n)) set({ [setting]: n });
        }}
      />
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}

function WordField<K extends WordSetting>({ setting, label, help, words }: WordProps<K>) {
  const id = `setting-${setting}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        aria-describedby={`${id}-help`}
        value={settings.value[setting]}
        onChange={(e) => set({ [setting]: e.currentTarget.value })}
      >
        {Object.entries<string>(words).map(([word, text]) => (
          <option key={word} value={word}>
            {text}
          </option>
        ))}
      </select>
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}
