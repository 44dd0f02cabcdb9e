import { type DataSet, ScconvError } from "scconv";
import { createGate } from "./gate.js";
import { openImages, openPupil, type Pupil } from "./open-pupil.js";
import type { Workshop } from "./protocol.js";
import { type Finished, runTraining } from "./run-training.js";

/** Holds one model and its images, and trains. For another model there is another worker. */
export function workshop(): Workshop {
  const gate = createGate();
  let pupil: Pupil | undefined;
  let data: DataSet | undefined;
  let stopping: AbortController | undefined;
  let finished: Finished | undefined;
  return {
    async takeImages(request) {
      pupil ??= await openPupil(request.model);
      await data?.close();
      data = undefined;
      const images = await openImages(pupil, request);
      data = images.data;
      return images.summary;
    },
    async train(request, onEvent) {
      if (!pupil || !data) throw new ScconvError("usage", "there are no images yet");
      finished = undefined;
      stopping = new AbortController();
      gate.resume();
      const emit = (event: Parameters<typeof onEvent>[0]) => void onEvent(event);
      finished = await runTraining(pupil, data, request, { gate, stop: stopping.signal, emit });
      return finished.outcome;
    },
    pause: () => gate.pause(),
    resume: () => gate.resume(),
    stop() {
      stopping?.abort();
      gate.resume();
    },
    trained(form) {
      if (!finished) throw new ScconvError("usage", "nothing was trained yet");
      return finished.file(form);
    },
  };
}
