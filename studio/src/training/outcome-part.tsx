import { useEffect, useRef } from "preact/hooks";
import { formatBytes, formatCount, formatSeconds } from "scconv";
import { first, opened } from "../models/slots.js";
import { Figure } from "../parts/figure.js";
import { Failure, Note } from "../parts/message.js";
import { saveFile, stemOf } from "../parts/save-file.js";
import { useSaving } from "../parts/use-saving.js";
import { trainingWorker } from "./images.js";
import { keptIn } from "./kept-in.js";
import type { ModelForm, TrainingOutcome } from "./protocol.js";
import { given } from "./training.js";
import { trainingReport } from "./training-report.js";

/** What was won and lost, and the files. */
export function OutcomePart({ outcome }: { readonly outcome: TrainingOutcome }) {
  const { ended, top1, parameters, macs, bytes, seconds } = outcome;
  const card = useRef<HTMLElement>(null);
  // The buttons that held the run are gone; the reader goes on here.
  useEffect(() => card.current?.focus(), []);
  return (
    <section class="card stack" aria-label="Outcome" ref={card} tabIndex={-1}>
      {typeof ended === "object" && <Failure>{ended.diverged}</Failure>}
      <p class="part">{`${ended ? "Ended early" : "Done"} after ${formatSeconds(seconds)}: ${keptIn(outcome)}`}</p>
      <dl class="figures">
        <Figure title="Top-1, held out" before={top1[0]} after={top1[1]} format={percent} points />
        <Figure title="Parameters" before={parameters[0]} after={parameters[1]} format={formatCount} />
        {macs && <Figure title="MACs per image" before={macs[0]} after={macs[1]} format={formatCount} />}
        <Figure title="File" before={bytes[0]} after={bytes[1]} format={formatBytes} />
      </dl>
      <Downloads outcome={outcome} />
    </section>
  );
}

const percent = (n: number): string => `${n.toFixed(2)} %`;

function Downloads({ outcome }: { readonly outcome: TrainingOutcome }) {
  const { busy, failure, save } = useSaving();
  const name = stemOf(opened.value?.summary.name ?? "model");
  const model = (form: ModelForm, as: string) => async () =>
    saveFile(as, await trainingWorker()!.api.trained(form));
  const files: readonly (readonly [title: string, make: () => Promise<void>])[] = [
    ["Download the slimmed model", model("deployed", `${name}-slim.onnx`)],
    ["Download its training form", model("training", `${name}-slim-training.onnx`)],
    [
      "Download the plan used",
      async () => {
        const plan = await first.api.plan(given.peek()!.request.choice);
        saveFile(`${name}-plan.json`, plan, "application/json");
      },
    ],
    [
      "Download its report",
      async () => saveFile(`${name}-slim-report.html`, trainingReport(outcome), "text/html"),
    ],
  ];
  return (
    <>
      <div class="actions">
        {files.map(([title, make], i) => (
          <button
            key={title}
            type="button"
            class={i === 0 ? undefined : "outline"}
            disabled={busy}
            onClick={() => save(make)}
          >
            {title}
          </button>
        ))}
      </div>
      <Note>
        The slimmed model has its norms folded and its units in their short form: it is the one to run. In the
        training form both are as they were trained, to be trained on.
      </Note>
      {failure && <Failure>{failure}</Failure>}
    </>
  );
}
