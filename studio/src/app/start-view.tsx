import { first } from "../models/slots.js";
import { DropZone } from "../parts/drop-zone.js";
import { Failure } from "../parts/message.js";
import { BrowserCard } from "./browser-card.js";
import { refusal, takeFiles } from "./take.js";

/** Before there is a model, or where one was refused. */
export function StartView() {
  const state = first.state.value;
  return (
    <>
      {state.kind === "failed" && !refusal.value && <Failure>{state.message}</Failure>}
      <DropZone
        label="Drop an .onnx file here; weights in a file beside it, together with it"
        button="Choose a model"
        onFiles={takeFiles}
      />
      <div class="about">
        <section>
          <h2>What it does</h2>
          <p>
            Lists the layers of a convolutional network with their cost, shows what SCConv in the place of
            convolutions would change, measures it on this machine, trains it on images of yours, and looks at
            feature maps. All in this page.
          </p>
        </section>
        <section>
          <h2>What leaves the page</h2>
          <p>
            Nothing. The page may not even ask another host: its content security policy forbids it. Files are
            read where they are, and results are yours to download.
          </p>
        </section>
        <section>
          <h2>This browser</h2>
          <BrowserCard />
        </section>
      </div>
    </>
  );
}
