import { useState } from "preact/hooks";
import { formatMs } from "scconv";
import { opened } from "../models/slots.js";
import { type FigureOf, FoldingTable } from "../parts/folding-table.js";
import { Failure, Note } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { ShareBar } from "../parts/share-bar.js";
import { swappedCount } from "../what-if/choice.js";
import type { Timing } from "../worker/protocol.js";
import {
  type Backend,
  backends,
  type Measured,
  measure,
  results,
  running,
  stopMeasuring,
} from "./measure.js";
import { OnCpu } from "./on-cpu.js";

/** How long an inference takes in this browser, before and after. */
export function LatencyView() {
  const all = backends();
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const [rounds, setRounds] = useState(30);
  const [images, setImages] = useState(1);
  const [size, setSize] = useState(224);
  const open = opened.value!.summary.open;
  const asked = all.filter((b) => !b.missing && !off.has(b.id));
  return (
    <>
      <form
        class="toolbar"
        onSubmit={(e) => {
          e.preventDefault();
          void measure({ backends: asked, rounds, batch: images, size: open ? size : undefined });
        }}
      >
        <fieldset class="presets" aria-label="Engines">
          {all.map((b) => (
            <label class="check" key={b.id}>
              <input
                type="checkbox"
                disabled={b.missing !== undefined || running.value}
                checked={!b.missing && !off.has(b.id)}
                onChange={() => {
                  const next = new Set(off);
                  if (!next.delete(b.id)) next.add(b.id);
                  setOff(next);
                }}
              />
              {b.title}
            </label>
          ))}
        </fieldset>
        <WholeField label="Rounds" value={rounds} most={1000} onValue={setRounds} />
        <WholeField label="Batch" value={images} most={256} onValue={setImages} />
        {open && <WholeField label="Height and width" value={size} most={4096} onValue={setSize} />}
        {running.value ? (
          <button type="button" class="secondary" onClick={stopMeasuring}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={asked.length === 0}>
            Measure
          </button>
        )}
      </form>
      {all
        .filter((b) => b.missing)
        .map((b) => (
          <Note key={b.id}>{`Without ${b.title}: ${b.missing}.`}</Note>
        ))}
      {results.value.size === 0 ? (
        <p class="note">
          {swappedCount.value > 0
            ? `The model, the same with ${swappedCount.value} convolutions swapped (What if), and as rewriting alone makes it take turns, one inference each. The first inference is told apart from those that follow.`
            : "Nothing is chosen under What if: the model is timed alone."}
        </p>
      ) : (
        all
          .filter((b) => results.value.has(b.id))
          .map((b) => <Result key={b.id} backend={b} measured={results.value.get(b.id)!} />)
      )}
    </>
  );
}

function WholeField({
  label,
  value,
  most,
  onValue,
}: {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  onValue(n: number): void;
}) {
  return (
    <label class="inline">
      {label}
      <input
        class="number"
        type="number"
        min={1}
        max={most}
        value={value}
        required
        onInput={(e) => {
          const n = e.currentTarget.valueAsNumber;
          if (n >= 1 && n <= most) onValue(Math.floor(n));
        }}
      />
    </label>
  );
}

function Result({ backend, measured }: { readonly backend: Backend; readonly measured: Measured }) {
  return (
    <section class="card" aria-label={backend.title} aria-live="polite">
      <h2>{backend.title}</h2>
      {measured.kind === "waiting" && <p class="note">waiting for its turn</p>}
      {measured.kind === "running" && (
        <label class="note">
          {measured.done === 0
            ? "starting the engine, opening the models …"
            : `round ${measured.done} of ${measured.rounds}`}
          <progress value={measured.done} max={measured.rounds} />
        </label>
      )}
      {measured.kind === "failed" && <Failure>{measured.message}</Failure>}
      {measured.kind === "done" && <Times timing={measured.timing} />}
    </section>
  );
}

type TimedModel = Timing["models"][number];

function Times({ timing }: { readonly timing: Timing }) {
  const { models, provider, device, runtime, threads, startMs, notes } = timing;
  const slowest = Math.max(...models.map((m) => m.p90Ms));
  const figures: readonly FigureOf<TimedModel>[] = [
    ["Median", (m) => <ShareBar share={m.medianMs / slowest}>{formatMs(m.medianMs)}</ShareBar>],
    ["10 to 90 %", (m) => `${formatMs(m.p10Ms)} to ${formatMs(m.p90Ms)}`],
    ["To the first", (m, i) => (i === 0 ? "1" : m.ratio.toFixed(2))],
    ["Cold: opening", (m) => formatMs(m.openMs)],
    ["Cold: first inference", (m) => formatMs(m.firstMs)],
  ];
  return (
    <>
      <FoldingTable
        label="Times"
        title="Model"
        rows={models}
        nameOf={(m) => <Name>{m.name}</Name>}
        figures={figures}
      />
      <Note>
        {`${runtime}, ${threads} ${threads === 1 ? "thread" : "threads"}${device ? `, ${device}` : ""}; the engine's own start took ${formatMs(startMs)}`}
      </Note>
      {provider === "webgpu" && models.map((m, i) => <OnCpu key={i} model={m} />)}
      {notes.map((n) => (
        <Note key={n}>{n}</Note>
      ))}
    </>
  );
}
