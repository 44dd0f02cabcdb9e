import { useState } from "preact/hooks";
import { formatBytes, formatCount } from "scconv";
import { takeFiles } from "../app/take.js";
import { LatencyView } from "../latency/latency-view.js";
import { messageOf } from "../models/slot.js";
import { opened, openedSecond, second } from "../models/slots.js";
import { DropZone } from "../parts/drop-zone.js";
import { Figure } from "../parts/figure.js";
import { Failure, Note } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { swappedCount } from "../what-if/choice.js";
import { ComparePictures } from "./compare-pictures.js";
import { CompareTable } from "./compare-table.js";
import { closeSecond, compared, openSwap, secondIsSwap } from "./comparison.js";
import { saveCompared, swapNote } from "./save-compared.js";

/** Two models side by side: what they cost, where they differ, what they make of an image, how long they take. */
export function CompareView() {
  const state = second.state.value;
  if (state.kind === "open") return <Sides />;
  if (state.kind === "opening") {
    return (
      <p aria-busy="true" role="status">
        Reading <Name>{state.files.model.name}</Name> …
      </p>
    );
  }
  return (
    <>
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      <DropZone
        label="Drop a second model here: slimmed, or of another day. It is laid beside the one that is open."
        button="Choose a second model"
        onFiles={takeFiles}
      />
      <SwapButton />
    </>
  );
}

function SwapButton() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const count = swappedCount.value;
  return (
    <footer class="actions">
      <button
        type="button"
        class="outline"
        disabled={count === 0 || busy}
        aria-busy={busy}
        onClick={async () => {
          setBusy(true);
          setFailure(undefined);
          await openSwap().catch((error) => setFailure(messageOf(error)));
          setBusy(false);
        }}
      >
        Compare with the swap
      </button>
      <p class="note">
        {count === 0
          ? "Nothing is chosen under What if."
          : `The ${count} convolutions that are chosen under What if, swapped; their units have fresh weights.`}
      </p>
      {failure && <Failure>{failure}</Failure>}
    </footer>
  );
}

function Sides() {
  const [one, other] = [opened.value!.summary, openedSecond.value!.summary];
  const state = compared.value;
  return (
    <>
      <div class="sides">
        <p>
          <span class="side">first</span> <Name>{one.name}</Name>
        </p>
        <p>
          <span class="side">second</span> <Name>{other.name}</Name>
          <button type="button" class="outline secondary" onClick={closeSecond}>
            Close the second
          </button>
        </p>
      </div>
      {secondIsSwap.value && <Note>{swapNote}</Note>}
      {state.kind === "waiting" && <p aria-busy="true">Comparing …</p>}
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "known" && (
        <>
          <dl class="figures" aria-label="Totals">
            <Figure
              title="Parameters"
              before={state.comparison.parameters[0]}
              after={state.comparison.parameters[1]}
              format={formatCount}
            />
            {state.comparison.macs && (
              <Figure
                title="MACs per image"
                before={state.comparison.macs[0]}
                after={state.comparison.macs[1]}
                format={formatCount}
              />
            )}
            <Figure title="File" before={one.size} after={other.size} format={formatBytes} />
          </dl>
          <CompareTable layers={state.comparison.layers} />
          <section class="part-of" aria-labelledby="on-an-image">
            <h2 id="on-an-image">On an image</h2>
            <ComparePictures />
          </section>
        </>
      )}
      <section class="part-of" aria-labelledby="in-time">
        <h2 id="in-time">Latency</h2>
        <LatencyView />
      </section>
      {state.kind === "known" && (
        <footer class="actions">
          <button type="button" class="outline" onClick={saveCompared}>
            Download the comparison
          </button>
          <p class="note">One page to keep: the layers that differ, and the maps and times that are above.</p>
        </footer>
      )}
    </>
  );
}
