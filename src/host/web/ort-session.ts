import type * as Ort from "onnxruntime-web";
import type { DType, TypedArray } from "../../base/dtype.js";
import { ScconvError } from "../../base/errors.js";
import { Tensor } from "../../base/tensor.js";
import { forWebgpu } from "../../optimise/not-for-webgpu.js";
import { checkRun } from "../../runtime/check-run.js";
import { engineError } from "../../runtime/engine-error.js";
import { type NodePlacement, nodePlacement, placementMark } from "../../runtime/node-placement.js";
import type { NamedTensors, Session, SessionOptions } from "../../runtime/session.js";
import { listen } from "./engine-log.js";
import type { Runtime, WebProvider } from "./start-runtime.js";

const levels = { none: "disabled", basic: "basic", extended: "extended", all: "all" } as const;

/** Its log goes to the console past us, with names as they are; what fails is told by what it throws. */
const quiet = { logSeverityLevel: 4 } as const;

export async function createSession(
  runtime: Runtime,
  provider: WebProvider,
  model: Uint8Array,
  options: SessionOptions,
): Promise<Session> {
  const { ort, turns } = runtime;
  const { onCpu, create } = prepared(runtime, provider, model, options);
  let session: Ort.InferenceSession;
  try {
    session = await turns(() => create(quiet));
  } catch (cause) {
    throw refused(cause);
  }
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    onCpu,
    run: async (feeds, fetches) => run(ort, turns, session, feeds, fetches),
    release: () => turns(() => session.release()),
  };
}

/** By a session that logs all and is closed again. */
export async function placementOf(
  runtime: Runtime,
  provider: WebProvider,
  model: Uint8Array,
  options: SessionOptions,
): Promise<readonly NodePlacement[] | undefined> {
  const { create } = prepared(runtime, provider, model, options);
  try {
    const log = await runtime.turns(() =>
      listen(placementMark, async () => {
        const session = await create({ logSeverityLevel: 0 });
        await session.release();
      }),
    );
    return nodePlacement(log);
  } catch (cause) {
    throw refused(cause);
  }
}

const refused = (cause: unknown) => engineError("the engine refused the model", cause);

function prepared(
  { ort, buffers }: Runtime,
  provider: WebProvider,
  model: Uint8Array,
  { optimisation = "all", oneBlock = true }: SessionOptions,
) {
  const { bytes, onCpu } = provider === "webgpu" ? forWebgpu(model, buffers) : { bytes: model, onCpu: [] };
  const create = (log: Ort.InferenceSession.SessionOptions) =>
    ort.InferenceSession.create(bytes, {
      executionProviders: [onCpu.length > 0 ? { name: "webgpu", forceCpuNodeNames: onCpu } : provider],
      graphOptimizationLevel: levels[optimisation],
      enableMemPattern: oneBlock,
      ...log,
    });
  return { onCpu, create };
}

async function run(
  ort: typeof Ort,
  turns: Runtime["turns"],
  session: Ort.InferenceSession,
  feeds: NamedTensors,
  fetches: NamedTensors | undefined,
): Promise<NamedTensors> {
  checkRun(session.outputNames, feeds, fetches);
  let results: Ort.InferenceSession.OnnxValueMapType;
  try {
    results = await turns(() => {
      // Wrapped when their turn comes: tensors are read as they are when the run begins.
      const input: Record<string, Ort.Tensor> = Object.create(null);
      for (const name of session.inputNames) {
        const t = feeds.get(name);
        // Who is missing is told by the engine.
        if (t) input[name] = new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.dims);
      }
      return fetches ? session.run(input, [...fetches.keys()], quiet) : session.run(input, quiet);
    });
  } catch (cause) {
    throw engineError("the engine could not run the model", cause);
  }
  const fresh = Object.entries(results).map(([name, t]) => [name, toTensor(t as Ort.Tensor)] as const);
  if (!fetches) return new Map(fresh);
  // Memory of the engine is not JavaScript's, and onnxruntime-web does not copy into tensors that it is given.
  for (const [name, tensor] of fresh) copy(tensor, fetches.get(name)!, name);
  return fetches;
}

function toTensor({ type, dims, data }: Ort.Tensor): Tensor {
  const values = data as TypedArray;
  // Where the browser has Float16Array, halves come as that; ours are their bits.
  const bits = type === "float16" ? new Uint16Array(values.buffer, values.byteOffset, values.length) : values;
  return Tensor.of(type as DType, dims, bits);
}

function copy(from: Tensor, to: Tensor, name: string): void {
  const typeOf = (t: Tensor) => `${t.dtype}[${t.dims.join("×")}]`;
  if (typeOf(from) !== typeOf(to)) {
    throw new ScconvError("engine", "the engine could not run the model", {
      where: `output "${name}"`,
      got: `a tensor of ${typeOf(to)} for it`,
      need: typeOf(from),
    });
  }
  (to.data as Float32Array).set(from.data as Float32Array);
}
