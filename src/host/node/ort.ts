import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import type { DType } from "../../base/dtype.js";
import { ScconvError } from "../../base/errors.js";
import { Tensor } from "../../base/tensor.js";
import { encodeModel } from "../../graph/codec.js";
import { needsDataFile } from "../../graph/data-file.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import { forWebgpu, keptFromWebgpu } from "../../optimise/not-for-webgpu.js";
import { checkRun } from "../../runtime/check-run.js";
import { engineError } from "../../runtime/engine-error.js";
import type { Engine, NamedTensors, Session, SessionOptions } from "../../runtime/session.js";
import { mostInMemory, readModel, writeModel } from "./models.js";

export type NodeProvider = "cpu" | "webgpu";

export interface NodeEngineOptions {
  readonly provider?: NodeProvider;
  /** Default for its sessions: all cores. */
  readonly threads?: number | undefined;
}

const version = (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string })
  .version;

/** ONNX Runtime on Node. Errors of the engine become ScconvErrors of code `engine`. */
export function nodeEngine({ provider = "cpu", threads }: NodeEngineOptions = {}): Engine {
  const ownThreads = threads ?? availableParallelism();
  return {
    runtime: `onnxruntime-node ${version}`,
    provider,
    threads: ownThreads,
    notes: [],
    // Left to itself the engine may count two threads of one core as one.
    open: (model, options = {}) =>
      open(model, provider, { ...options, threads: options.threads ?? ownThreads }),
  };
}

const levels = { none: "disabled", basic: "basic", extended: "extended", all: "all" } as const;

async function open(
  model: Uint8Array | Graph | string,
  provider: NodeProvider,
  options: SessionOptions,
): Promise<Session> {
  if (provider === "cpu") return openOn(provider, model, options);
  const { runnable, onCpu } = await withoutWrongNodes(model);
  const where = onCpu.length > 0 ? { name: provider, forceCpuNodeNames: onCpu } : provider;
  return { ...(await openOn(where, runnable, options)), onCpu };
}

/** Every adapter has so many storage buffers for a shader; how many this one has is not told on Node. */
const BUFFERS = 8;

async function withoutWrongNodes(model: Uint8Array | Graph | string) {
  if (model instanceof Uint8Array) {
    const { bytes, onCpu } = forWebgpu(model, BUFFERS);
    return { runnable: bytes, onCpu };
  }
  const given = typeof model === "string" ? (await readModel(model)).model.graph : model;
  const { graph, onCpu } = keptFromWebgpu(given, BUFFERS);
  return { runnable: graph === given ? model : graph, onCpu };
}

type Where = Exclude<ort.InferenceSession.SessionOptions["executionProviders"], undefined>[number];

async function openOn(
  provider: Where,
  model: Uint8Array | Graph | string,
  options: SessionOptions,
): Promise<Session> {
  if (model instanceof Uint8Array || typeof model === "string") return create(model, provider, options);
  if (!needsDataFile(model, mostInMemory)) return create(encodeModel(modelOf(model)), provider, options);
  const folder = await mkdtemp(join(tmpdir(), "scconv-"));
  try {
    const path = join(folder, "model.onnx");
    await writeModel(path, modelOf(model), { external: "always" }).catch((cause: unknown) => {
      throw new ScconvError("io", "the weights cannot be written to where the engine maps them from", {
        where: tmpdir(),
        got: cause instanceof Error ? cause.message : `${cause}`,
        hint: "TMPDIR (TEMP on Windows) names another folder",
        cause,
      });
    });
    return await create(path, provider, options);
  } finally {
    // Mapped into memory, it lives on without a name; where the system forbids that, the system's own cleaning takes it.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function create(
  model: Uint8Array | string,
  provider: Where,
  { threads, optimisation = "all", oneBlock = true, profile }: SessionOptions,
): Promise<Session> {
  let session: ort.InferenceSession;
  try {
    // The engine's declarations have one form for bytes and one for paths, and none for either.
    session = await ort.InferenceSession.create(model as string, {
      executionProviders: [provider],
      graphOptimizationLevel: levels[optimisation],
      enableMemPattern: oneBlock,
      // Its log goes to the terminal past us, with names as they are; what fails is told by what it throws.
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
    });
  } catch (cause) {
    throw noAdapter(cause) ?? engineError("the engine refused the model", cause);
  }
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds, fetches) {
      const results = await call(session, feeds, fetches);
      return fetches ?? results;
    },
    async release() {
      if (profile) session.endProfiling();
      await session.release();
    },
  };
}

/** Dawn's message carries a path and a lambda before the few words that say it. */
function noAdapter(cause: unknown): ScconvError | undefined {
  if (!(cause instanceof Error) || !/Failed to get a WebGPU adapter/.test(cause.message)) return undefined;
  return new ScconvError("unsupported", "WebGPU finds no adapter here", {
    need: "a GPU with its driver (Vulkan, Direct3D 12 or Metal)",
    hint: "--provider cpu runs everywhere",
    cause,
  });
}

async function call(
  session: ort.InferenceSession,
  feeds: NamedTensors,
  fetches: NamedTensors | undefined,
): Promise<NamedTensors> {
  checkRun(session.outputNames, feeds, fetches);
  const input: Record<string, ort.Tensor> = Object.create(null);
  for (const [name, tensor] of feeds) input[name] = toEngine(tensor);
  let results: ort.InferenceSession.OnnxValueMapType;
  try {
    if (fetches) {
      const output: Record<string, ort.Tensor> = Object.create(null);
      for (const [name, tensor] of fetches) output[name] = toEngine(tensor);
      results = await session.run(input, output);
      return fetches;
    }
    results = await session.run(input);
  } catch (cause) {
    throw engineError("the engine could not run the model", cause);
  }
  return new Map(
    Object.entries(results).map(([name, t]) => {
      const tensor = t as ort.Tensor;
      return [name, Tensor.of(tensor.type as DType, tensor.dims, tensor.data as Float32Array)];
    }),
  );
}

/** Wrappers are kept with their tensors: a training step passes the same few hundred every time. */
const wrappers = new WeakMap<Tensor, ort.Tensor>();

function toEngine(tensor: Tensor): ort.Tensor {
  let wrapped = wrappers.get(tensor);
  if (!wrapped) {
    wrapped = new ort.Tensor(tensor.dtype as "float32", tensor.data as Float32Array, tensor.dims);
    wrappers.set(tensor, wrapped);
  }
  return wrapped;
}
