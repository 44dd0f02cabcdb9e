import {
  accuracyOf,
  type Calibrated,
  calibrateUnits,
  classifierOf,
  costPerImage,
  type DataSet,
  decodeCheckpoint,
  deploy,
  encodeModel,
  fineTune,
  type Graph,
  imageMetadata,
  layerRows,
  lower,
  modelOf,
  type Progress,
  parseNormalize,
  pupils,
  type RunStore,
  ScconvError,
  type Slimming,
  swap,
  totalParameters,
  withCheckpoint,
  withErrors,
  withInitializers,
} from "scconv";
import { type WebEngine, webEngine } from "scconv/web";
import { layersOf } from "../worker/desk.js";
import { type Gate, gated } from "./gate.js";
import type { Pupil } from "./open-pupil.js";
import type { ModelForm, TrainingEvent, TrainingOutcome, TrainingRequest } from "./protocol.js";

export interface Conduct {
  readonly gate: Gate;
  /** Ends it with what it has reached. */
  readonly stop: AbortSignal;
  emit(event: TrainingEvent): void;
}

export interface Finished {
  readonly outcome: TrainingOutcome;
  readonly file: (form: ModelForm) => Uint8Array<ArrayBuffer>;
}

/** What `scconv slim` does with a plan, on the browser's engine: swap, calibrate, fine-tune beside the original, fold, measure. */
export async function runTraining(
  pupil: Pupil,
  images: DataSet,
  request: TrainingRequest,
  { gate, stop, emit }: Conduct,
): Promise<Finished> {
  const { provider, threads, seed, choice, settings } = request;
  const { original, opened } = pupil;
  const where = pupil.files.model.name;
  const [began, started] = [gate.now(), new Date().toISOString()];
  const engine = await webEngine({ provider, threads });
  const { runtime, device, notes } = engine;
  emit({ kind: "engine", runtime, provider, threads: engine.threads, device, notes });
  const data = gated(images, gate);
  const normalize = parseNormalize(request.normalize);
  const swapped = swap(original, { layers: layersOf(choice), seed });
  const slimming: Slimming = {
    ...{ where, original, swapped, data, normalize, settings },
    file: { classifier: { ...pupil.classifier, fixedBatch: pupil.fixedBatch }, runnable: opened.runnable },
  };
  const context = { seed, progress: progressTo(emit, gate, settings.calibrateBatch) };
  const calibrated = await calibrateUnits(engine, slimming, { ...context, enough: stop });
  const { top1, calibratedTop1 } = calibrated.facts;
  emit({ kind: "calibrated", top1, calibratedTop1 });

  const measure = async (graph: Graph) => {
    const runnable = deploy(graph, swapped.units);
    const what = { classifier: classifierOf(runnable, where), runnable };
    const how = { normalize, batch: 125, label: "eval slimmed" };
    return (await accuracyOf(engine, what, data, how, context)).top1;
  };
  const reached = stop.aborted
    ? { graph: calibrated.graph, kept: "calibration" as const, ended: "stopped" as const, epochs: [] }
    : await trained(engine, slimming, calibrated, { request, gate, stop, emit, measure, context });
  const { graph, kept, ended, epochs } = reached;
  const metadata = imageMetadata({ normalize, crop: pupil.crop });
  const short = deploy(graph, swapped.units);
  const file = (of: Graph) => encodeModel(modelOf(of, opened.model, metadata)) as Uint8Array<ArrayBuffer>;
  const rows = layerRows(original, short, swapped);
  const macs = [original, short].map((g) => costPerImage(g).macs);
  return {
    outcome: {
      ...{ ended, kept, epochs, calibratedTop1, started, runtime },
      top1: [top1, await measure(graph)],
      parameters: totalParameters(original, rows),
      macs: macs.every((m) => typeof m === "number") ? (macs as [number, number]) : undefined,
      bytes: [opened.size, file(short).length],
      layers: withErrors(rows, swapped, calibrated),
      seconds: (gate.now() - began) / 1000,
    },
    file: (form) => file(form === "deployed" ? short : lower(graph)),
  };
}

interface Lesson extends Conduct {
  readonly request: TrainingRequest;
  readonly context: { readonly seed: number; readonly progress: Progress };
  measure(graph: Graph): Promise<number>;
}

type Reached = Pick<TrainingOutcome, "ended" | "kept" | "epochs"> & { readonly graph: Graph };

/** The best epoch; of a training that was stopped what it had reached, unless an epoch was better. */
async function trained(
  engine: WebEngine,
  slimming: Slimming,
  calibrated: Calibrated,
  { request, gate, stop, emit, measure, context }: Lesson,
): Promise<Reached> {
  const store = memoryStore();
  const began = gate.now();
  try {
    const { graph, history } = await fineTune(
      engine,
      slimming,
      calibrated.graph,
      {
        ...{ recipe: request.recipe, store },
        onStep: ({ step, steps, loss }) => emit({ kind: "step", step, steps, loss, ms: gate.now() - began }),
        onEpoch: (metrics) => emit({ kind: "epoch", metrics }),
      },
      { ...context, signal: stop },
    );
    return { graph, kept: bestOf(history), ended: undefined, epochs: history };
  } catch (error) {
    const last = await store.read("last.safetensors");
    if (!(error instanceof ScconvError) || !last) throw error;
    const { code } = error;
    if (code !== "interrupted" && code !== "not-finite") throw error;
    const weights = (bytes: Uint8Array) => {
      const checkpoint = decodeCheckpoint(bytes, "the state that was reached");
      const { student } = pupils(slimming, calibrated.graph);
      const { initializers } = withCheckpoint(student, checkpoint, "the state that was reached");
      return { checkpoint, graph: withInitializers(calibrated.graph, initializers) };
    };
    const { graph, checkpoint } = weights(last);
    const { steps, best, history: epochs } = checkpoint;
    const top = await store.read("best.safetensors");
    const ofBest = top && { graph: weights(top).graph, kept: bestOf(epochs) };
    if (code === "interrupted") {
      const ofStep = { graph, kept: { step: steps } };
      return { ...(ofBest && (await measure(graph)) < best ? ofBest : ofStep), ended: "stopped", epochs };
    }
    // A training diverges at what its last update left: those weights are numbers, and good for nothing.
    const ofCalibration = { graph: calibrated.graph, kept: "calibration" as const };
    const good = ofBest && best >= calibrated.facts.calibratedTop1 ? ofBest : ofCalibration;
    return { ...good, ended: { diverged: error.message }, epochs };
  }
}

/** The first of those with the most hits, whose weights are kept. */
const bestOf = (epochs: TrainingOutcome["epochs"]) => ({
  epoch: epochs.reduce((best, e) => (e.top1 > best.top1 ? e : best)).epoch,
});

function memoryStore(): RunStore {
  const files = new Map<string, Uint8Array>();
  return {
    write: async (name, bytes) => void files.set(name, bytes),
    read: async (name) => files.get(name),
  };
}

/** Progress as events, a few in a second. Calibration counts steps, all else counts images. */
function progressTo(emit: Conduct["emit"], gate: Gate, calibrateBatch: number): Progress {
  return {
    phase(label, total = 0) {
      const began = gate.now();
      const images = label.startsWith("calibrate") ? calibrateBatch : 1;
      let said = 0;
      const say = (done: number, note: string) =>
        emit({
          ...{ kind: "progress", label, done, total, note },
          ...{ images: done * images, ms: gate.now() - began },
        });
      say(0, "");
      return {
        tick(done, note = "") {
          if (done < total && performance.now() - said < 100) return;
          said = performance.now();
          say(done, note);
        },
        done() {},
      };
    },
  };
}
