import { ScconvError } from "../../base/errors.js";
import { encodeModel } from "../../graph/codec.js";
import { needsDataFile } from "../../graph/data-file.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import type { NodePlacement } from "../../runtime/node-placement.js";
import type { Engine } from "../../runtime/session.js";
import { createSession, placementOf } from "./ort-session.js";
import { startRuntime, type WebProvider } from "./start-runtime.js";

export interface WebEngineOptions {
  /** Default: `wasm`, which every browser has. */
  readonly provider?: WebProvider | undefined;
  /**
   * Default: all cores. More than one needs a page that is isolated from others (`crossOriginIsolated`), which its server says by
   * two headers: `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
   */
  readonly threads?: number | undefined;
  /**
   * Where the engine's `.wasm` and `.mjs` files lie, as the URL of a folder that ends in a slash; default: beside the engine's
   * script, which is where bundlers put the `.wasm` file, too.
   */
  readonly wasmPaths?: string | undefined;
}

export interface WebEngine extends Engine {
  readonly provider: WebProvider;
  /** With `webgpu`: vendor and architecture of the adapter, as far as the browser tells. */
  readonly device: string | undefined;
  /**
   * Which provider the engine gives each node of a model to, after its own rewriting: `webgpu` leaves to the CPU what it has no
   * shader for. A session of its own is opened for it, so it is asked beside what is timed, and not before. Undefined where the
   * engine's log does not tell.
   */
  placement(model: Uint8Array | Graph): Promise<readonly NodePlacement[] | undefined>;
}

/**
 * ONNX Runtime in a page or a worker, loaded and started. It computes on the thread that asks: in a page, that page stands still
 * meanwhile, so long work belongs into a worker. A page has one engine for each provider; the first `webEngine` decides its threads,
 * and `threads` and `notes` say what a later one got.
 *
 * Throws `unsupported` where there is no WebGPU, `engine` where the engine does not load, `bad-setting`.
 */
export async function webEngine({
  provider = "wasm",
  threads,
  wasmPaths,
}: WebEngineOptions = {}): Promise<WebEngine> {
  const runtime = await startRuntime(provider, { threads, wasmPaths });
  return {
    runtime: `onnxruntime-web ${runtime.version}`,
    provider,
    device: runtime.device,
    threads: runtime.threads,
    notes: runtime.notesFor(threads),
    async open(model, options = {}) {
      const { threads: own = runtime.threads } = options;
      if (own !== runtime.threads) {
        throw new ScconvError("unsupported", "sessions in a browser share the threads of their engine", {
          got: `${own}`,
          need: `${runtime.threads}`,
          hint: "give webEngine the number",
        });
      }
      return createSession(runtime, provider, bytesOf(model), options);
    },
    placement: async (model) => placementOf(runtime, provider, bytesOf(model), {}),
  };
}

function bytesOf(model: Uint8Array | Graph | string): Uint8Array {
  if (model instanceof Uint8Array) return model;
  if (typeof model === "string") {
    throw new ScconvError("unsupported", "there are no paths in a browser", {
      got: `"${model}"`,
      need: "the bytes of an .onnx file, or a graph",
    });
  }
  if (needsDataFile(model)) {
    throw new ScconvError("unsupported", "the model is too large for a browser's engine", {
      need: "less than 2 GiB of weights",
    });
  }
  return encodeModel(modelOf(model));
}
