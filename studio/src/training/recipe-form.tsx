import { type Backend, backends } from "../latency/measure.js";
import { Note } from "../parts/message.js";
import { commandLine } from "./command-line.js";
import { seed } from "./images.js";
import { defaults, mainFields, moreFields, type NumberField, set, settings } from "./settings.js";
import { engine, engineId, engines, obstacle, train } from "./training.js";

/** How it is trained: the names and defaults of `scconv slim`. */
export function RecipeForm() {
  return (
    <form
      class="stack"
      aria-label="Settings of the training"
      onSubmit={(e) => {
        e.preventDefault();
        void train();
      }}
    >
      <div class="settings">
        {mainFields.map((field) => (
          <NumberInput key={field.key} field={field} />
        ))}
        <SeedField />
        <EngineField />
        <details>
          <summary>More settings</summary>
          <div class="settings">
            {moreFields.map((field) => (
              <NumberInput key={field.key} field={field} />
            ))}
            <div class="field">
              <label class="check">
                <input
                  type="checkbox"
                  checked={settings.value.flip}
                  onChange={(e) => set({ flip: e.currentTarget.checked })}
                />
                Flip
              </label>
              <small>mirrors half of the images</small>
            </div>
            <button
              type="button"
              class="outline secondary"
              disabled={settings.value === defaults}
              onClick={() => set(defaults)}
            >
              Reset
            </button>
          </div>
        </details>
      </div>
      <div class="actions">
        <button type="submit" disabled={obstacle.value !== undefined} aria-describedby="obstacle">
          Swap and fine-tune
        </button>
        <p class="note" id="obstacle">
          {obstacle.value ?? (
            <>
              On the command line: <code>{commandLine()}</code>
            </>
          )}
        </p>
      </div>
      {backends()
        .filter((b) => b.missing)
        .map((b) => (
          <Note key={b.id}>{`Without ${b.title}: ${b.missing}.`}</Note>
        ))}
    </form>
  );
}

function NumberInput({ field }: { readonly field: NumberField }) {
  const { key: setting, label, help, min, max, step } = field;
  const id = `training-${setting}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...{ id, type: "number", min, max, step, required: true }}
        aria-describedby={`${id}-help`}
        value={settings.value[setting]}
        onInput={(e) => {
          const { valueAsNumber: n, validity } = e.currentTarget;
          // What cannot be is said by the browser when the form is sent.
          if (Number.isFinite(n) && validity.valid) set({ [setting]: n });
        }}
      />
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}

function SeedField() {
  return (
    <div class="field">
      <label for="training-seed">Seed</label>
      <input
        {...{ id: "training-seed", type: "number", min: 0, max: 2 ** 31, step: 1, required: true }}
        aria-describedby="training-seed-help"
        value={seed.value}
        onChange={(e) => {
          const { valueAsNumber: n, validity } = e.currentTarget;
          if (Number.isFinite(n) && validity.valid) seed.value = n;
        }}
      />
      <small id="training-seed-help">of all that is random</small>
    </div>
  );
}

function EngineField() {
  return (
    <div class="field">
      <label for="training-engine">Engine</label>
      <select
        id="training-engine"
        aria-describedby="training-engine-help"
        value={engine.value.id}
        onChange={(e) => {
          engineId.value = e.currentTarget.value as Backend["id"];
        }}
      >
        {engines.value.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
      <small id="training-engine-help">WebGPU leaves parts of a step to wasm</small>
    </div>
  );
}
