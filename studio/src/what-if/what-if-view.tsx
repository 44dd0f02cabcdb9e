import { useMemo, useState } from "preact/hooks";
import { formatCount } from "scconv";
import { first, opened } from "../models/slots.js";
import { type Column, DataTable } from "../parts/data-table.js";
import { Figure } from "../parts/figure.js";
import { Failure } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { saveFile, stemOf } from "../parts/save-file.js";
import { useSaving } from "../parts/use-saving.js";
import type { WhatIfRow } from "../worker/protocol.js";
import { answer, choice, lastAnswer, swappedCount, ticked } from "./choice.js";
import { SettingsForm } from "./settings-form.js";

/** Which convolutions to replace, by what, and what comes of it. */
export function WhatIfView() {
  const found = lastAnswer.value;
  const failed = answer.value.kind === "failed" ? answer.value.message : undefined;
  return (
    <>
      <SettingsForm />
      {failed && <Failure>{failed}</Failure>}
      {found ? (
        <>
          <dl class="figures" aria-live="polite">
            <Figure
              title="Parameters"
              before={found.parameters[0]}
              after={found.parameters[1]}
              format={formatCount}
            />
            {found.macs && (
              <Figure
                title="MACs per image"
                before={found.macs[0]}
                after={found.macs[1]}
                format={formatCount}
              />
            )}
            <div class="figure">
              <dt>Swapped</dt>
              <dd>
                <strong>{swappedCount.value}</strong> of {found.rows.length} convolutions
              </dd>
            </div>
          </dl>
          <Presets rows={found.rows} />
          <DataTable
            label="Convolutions"
            rows={found.rows}
            columns={columns}
            rowKey={(row) => row.name}
            empty="This model has no convolutions."
            muted={(row) => !row.possible}
          />
          <Downloads />
        </>
      ) : (
        !failed && <p aria-busy="true">Looking at the convolutions …</p>
      )}
    </>
  );
}

function Presets({ rows }: { readonly rows: readonly WhatIfRow[] }) {
  const presets = first.presets.value;
  const [pattern, setPattern] = useState("");
  const pick = (names: readonly string[]) => {
    ticked.value = new Set(names);
  };
  const matching = useMemo(() => {
    const wanted = pattern.trim().toLowerCase();
    return wanted === "" ? [] : rows.filter((r) => r.name.toLowerCase().includes(wanted)).map((r) => r.name);
  }, [pattern, rows]);
  return (
    <div class="toolbar">
      <fieldset class="presets" aria-label="Which convolutions">
        <button type="button" class="outline" onClick={() => pick(presets?.all ?? [])}>
          All that fit
        </button>
        <button
          type="button"
          class="outline"
          disabled={!presets?.second.length}
          title="In each residual block the convolution next to the addition"
          onClick={() => pick(presets?.second ?? [])}
        >
          Second of each block
        </button>
        <button type="button" class="outline" onClick={() => pick([])}>
          None
        </button>
      </fieldset>
      <form
        class="pick"
        onSubmit={(e) => {
          e.preventDefault();
          pick(matching);
        }}
      >
        <label>
          <span class="visually-hidden">Choose by name</span>
          <input
            type="search"
            placeholder="Choose by name, e.g. layer3"
            value={pattern}
            onInput={(e) => setPattern(e.currentTarget.value)}
          />
        </label>
        <button type="submit" class="outline" disabled={matching.length === 0}>
          Choose {matching.length > 0 ? matching.length : ""}
        </button>
      </form>
    </div>
  );
}

const toggle = (name: string) => {
  const next = new Set(ticked.value);
  if (!next.delete(name)) next.add(name);
  ticked.value = next;
};

const pair = ([before, after]: readonly [number, number], chosen: boolean) =>
  chosen ? `${formatCount(before)} → ${formatCount(after)}` : formatCount(before);

const columns: Column<WhatIfRow>[] = [
  {
    ...{ key: "name", title: "Convolution", width: "minmax(12rem, 2fr)" },
    sort: (r) => r.name,
    cell: (r) => (
      <label class="check">
        <input
          type="checkbox"
          checked={ticked.value.has(r.name)}
          disabled={!r.possible && !ticked.value.has(r.name)}
          onChange={() => toggle(r.name)}
        />
        <Name>{r.name}</Name>
      </label>
    ),
  },
  {
    ...{ key: "from", title: "Becomes", width: "minmax(9rem, 1.2fr)", wide: true },
    sort: (r) => (r.chosen ? 1 : 0),
    cell: (r) => (r.chosen ? `${r.from} → ${r.to}` : r.from),
  },
  {
    ...{ key: "parameters", title: "Parameters", width: "10rem", right: true, wide: true },
    sort: (r) => r.parameters[0],
    cell: (r) => pair(r.parameters, r.chosen),
  },
  {
    ...{ key: "macs", title: "MACs", width: "10rem", right: true, wide: true },
    sort: (r) => r.macs[0],
    cell: (r) => pair(r.macs, r.chosen),
  },
  {
    ...{ key: "reason", title: "Note", width: "minmax(12rem, 2fr)", wide: true },
    sort: (r) => r.reason ?? "",
    cell: (r) => (r.reason ? <Name>{r.reason}</Name> : undefined),
  },
];

function Downloads() {
  const { busy, failure, save } = useSaving();
  const none = swappedCount.value === 0;
  const name = stemOf(opened.value?.summary.name ?? "model");
  return (
    <footer class="actions">
      <button
        type="button"
        disabled={none || busy}
        aria-busy={busy}
        onClick={() =>
          save(async () => saveFile(`${name}-swapped.onnx`, await first.api.swapped(choice.value)))
        }
      >
        Download the swapped model
      </button>
      <button
        type="button"
        class="outline"
        disabled={none || busy}
        onClick={() =>
          save(async () =>
            saveFile(`${name}-plan.json`, await first.api.plan(choice.value), "application/json"),
          )
        }
      >
        Download the plan
      </button>
      <p class="note">
        {none
          ? "Nothing is swapped: choose convolutions above."
          : "The swapped model's new units have fresh weights: they have to be trained, with the plan by the command line."}
        {!none && (
          <code>
            scconv slim {name}.onnx --plan {name}-plan.json …
          </code>
        )}
      </p>
      {failure && <Failure>{failure}</Failure>}
    </footer>
  );
}
