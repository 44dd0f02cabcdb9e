import type * as Ort from "onnxruntime-web";
import { ScconvError } from "../../base/errors.js";
import { encodeModel } from "../../graph/codec.js";
import { modelOf } from "../../graph/model.js";
import { graphBuilder } from "../../ops/index.js";
import { engineError } from "../../runtime/engine-error.js";
import { startAudibly } from "./engine-log.js";
import { inTurn, type Turns } from "./in-turn.js";

export type WebProvider = "wasm" | "webgpu";

/** One instance of the engine's WebAssembly. */
export interface Runtime {
  readonly ort: typeof Ort;
  readonly version: string;
  readonly device: string | undefined;
  readonly threads: number;
  /** Storage buffers that a shader may have. */
  readonly buffers: number;
  /** For whoever asks for so many threads. */
  notesFor(threads: number | undefined): string[];
  /** Its calls, of all sessions, one after the other: WebAssembly that waits for the GPU cannot be entered again. */
  readonly turns: Turns;
}

interface Settings {
  readonly threads: number | undefined;
  readonly wasmPaths: string | undefined;
}

/** The build with WebGPU is twice as large: each is loaded when it is asked for. */
const builds = {
  wasm: () => import("onnxruntime-web/wasm"),
  webgpu: () => import("onnxruntime-web/webgpu"),
} satisfies Record<WebProvider, () => Promise<typeof Ort>>;

const started = new Map<WebProvider, Promise<Runtime>>();

export function startRuntime(provider: WebProvider, settings: Settings): Promise<Runtime> {
  const { threads } = settings;
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads > 0)) {
    throw new ScconvError("bad-setting", "not a number of threads", {
      got: `${threads}`,
      need: "a whole number from 1",
    });
  }
  const known = started.get(provider);
  if (known) return known;
  const starting = start(provider, settings);
  started.set(provider, starting);
  // Without WebGPU nothing was begun that could not be begun again; an engine that failed to load stays failed.
  starting.catch((error) => {
    if (error instanceof ScconvError && error.code === "unsupported") started.delete(provider);
  });
  return starting;
}

async function start(provider: WebProvider, { threads: wanted, wasmPaths }: Settings): Promise<Runtime> {
  const device = provider === "webgpu" ? await adapter() : undefined;
  const isolated = globalThis.crossOriginIsolated === true;
  const threads = isolated ? (wanted ?? globalThis.navigator?.hardwareConcurrency ?? 1) : 1;
  try {
    const ort = await builds[provider]();
    ort.env.wasm.numThreads = threads;
    // Its log goes to the console past us; what fails is told by what it throws.
    ort.env.logLevel = "fatal";
    if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = new URL(wasmPaths, globalThis.location?.href).href;
    // The engine loads its WebAssembly with the first session: now, so that nothing is found out later.
    const session = await startAudibly(() =>
      ort.InferenceSession.create(smallest(), { executionProviders: [provider] }),
    );
    await session.release();
    return {
      ort,
      device: device?.name,
      buffers: device?.buffers ?? 0,
      threads,
      version: ort.env.versions.web ?? ort.env.versions.common,
      turns: inTurn(),
      notesFor: (asked) => [
        ...threadNotes(asked, threads, isolated),
        ...(device?.software ? [`${device.name} computes WebGPU in software: wasm is faster`] : []),
      ],
    };
  } catch (cause) {
    throw new ScconvError("engine", "the engine could not be started", {
      got: engineError("", cause).facts.got,
      hint: "its .wasm file has to lie beside its script, or where wasmPaths says",
      cause,
    });
  }
}

function threadNotes(asked: number | undefined, threads: number, isolated: boolean): string[] {
  if (!isolated && asked !== 1) {
    return [
      `1 thread${asked ? ` in the place of ${asked}` : ""}: threads need a page that is cross-origin isolated ` +
        "(Cross-Origin-Opener-Policy: same-origin, Cross-Origin-Embedder-Policy: require-corp)",
    ];
  }
  if (asked === undefined || asked === threads) return [];
  return [`${threads} threads in the place of ${asked}: the engine was started with as many before`];
}

async function adapter(): Promise<{ name: string; software: boolean; buffers: number }> {
  // Without the types of WebGPU, which TypeScript's DOM does not have.
  interface Info {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  }
  type Limits = { readonly maxStorageBuffersPerShaderStage: number };
  type Gpu = { requestAdapter(): Promise<{ readonly info: Info; readonly limits: Limits } | null> };
  const gpu = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu;
  const found = await gpu?.requestAdapter();
  if (!found) {
    throw new ScconvError("unsupported", gpu ? "WebGPU finds no adapter here" : "there is no WebGPU here", {
      need: gpu
        ? "a GPU that the browser may use"
        : "a browser with WebGPU, and a page from https or localhost",
      hint: 'provider "wasm" runs everywhere',
    });
  }
  const { vendor, architecture, description, isFallbackAdapter } = found.info;
  const name = [vendor, architecture, description].filter(Boolean).join(" ") || "unnamed adapter";
  return {
    name,
    software: isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(name),
    buffers: found.limits.maxStorageBuffersPerShaderStage,
  };
}

function smallest(): Uint8Array {
  const b = graphBuilder({ name: "smallest" });
  const x = b.input("x", "float32", [1]);
  b.output(b.add("Relu", [x]), "y");
  return encodeModel(modelOf(b.build()));
}
