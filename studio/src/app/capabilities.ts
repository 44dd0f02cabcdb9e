import { signal } from "@preact/signals";

export interface Capabilities {
  /** WebAssembly with threads needs shared memory, and that a page of its own. */
  readonly isolated: boolean;
  readonly cores: number;
  /** The adapter's name, or why there is none. */
  readonly webgpu: { readonly adapter?: string; readonly why?: string };
}

interface Gpu {
  requestAdapter(): Promise<{
    readonly info?: { vendor?: string; architecture?: string; description?: string };
  } | null>;
}

export const capabilities = signal<Capabilities>({
  isolated: globalThis.crossOriginIsolated === true,
  cores: navigator.hardwareConcurrency || 1,
  webgpu: { why: "not looked for yet" },
});

export async function findCapabilities(): Promise<void> {
  const { gpu } = navigator as { gpu?: Gpu };
  const webgpu = await adapterOf(gpu);
  capabilities.value = { ...capabilities.value, webgpu };
}

async function adapterOf(gpu: Gpu | undefined): Promise<Capabilities["webgpu"]> {
  if (!gpu) {
    return {
      why: isSecureContext ? "this browser has none" : "the page is neither from https nor from localhost",
    };
  }
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return { why: "no graphics adapter that the browser may use" };
  const { vendor, architecture, description } = adapter.info ?? {};
  return { adapter: [vendor, architecture, description].filter(Boolean).join(" ") || "unnamed adapter" };
}
