import { useEffect, useRef, useState } from "preact/hooks";
import { formatBytes, formatCount, formatSeconds } from "scconv";
import { messageOf } from "../models/slot.js";
import { first, opened } from "../models/slots.js";
import { Figure } from "../parts/figure.js";
import { Failure, Note } from "../parts/message.js";
import { saveFile, stemOf } from "../parts/save-file.js";
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
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const name = stemOf(opened.value?.summary.name ?? "model");
  const save = async (what: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    await what().catch((error) => setFailure(messageOf(error)));
    setBusy(false);
  };
  const model = (form: ModelForm, as: string) =>
    save(async () => saveFile(as, await trainingWorker()!.api.trained(form)));
  return (
    <>
      <div class="actions">
        <button type="button" disabled={busy} onClick={() => model("deployed", `${name}-slim.onnx`)}>
          Download the slimmed model
        </button>
        <button
          type="button"
          class="outline"
          disabled={busy}
          onClick={() => model("training", `${name}-slim-training.onnx`)}
        >
          Download its training form
        </button>
        <button
          type="button"
          class="outline"
          disabled={busy}
          onClick={() =>
            save(async () => {
              const plan = await first.api.plan(given.peek()!.request.choice);
              saveFile(`${name}-plan.json`, plan, "application/json");
            })
          }
        >
          Download the plan used
        </button>
        <button
          type="button"
          class="outline"
          disabled={busy}
          onClick={() =>
            save(async () => saveFile(`${name}-slim-report.html`, trainingReport(outcome), "text/html"))
          }
        >
          Download its report
        </button>
      </div>
      <Note>
        The slimmed model has its norms folded and its units in their short form: it is the one to run. In the
        training form both are as they were trained, to be trained on.
      </Note>
      {failure && <Failure>{failure}</Failure>}
    </>
  );
}
