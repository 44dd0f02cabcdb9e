import { Name } from "../parts/name.js";
import { capabilities } from "./capabilities.js";

/** What this browser has and lacks, and what is done without it. */
export function BrowserCard() {
  const { isolated, cores, webgpu } = capabilities.value;
  return (
    <ul class="capabilities">
      <li class="yes">WebAssembly, one thread</li>
      {isolated ? (
        <li class="yes">WebAssembly, {cores} threads</li>
      ) : (
        <li class="no">
          no threads: the page is not cross-origin isolated. <code>scconv studio</code> serves it so; another
          host has to send <code>Cross-Origin-Opener-Policy: same-origin</code> and{" "}
          <code>Cross-Origin-Embedder-Policy: require-corp</code>
        </li>
      )}
      {webgpu.adapter ? (
        <li class="yes">
          WebGPU: <Name>{webgpu.adapter}</Name>
        </li>
      ) : (
        <li class="no">no WebGPU: {webgpu.why}</li>
      )}
    </ul>
  );
}
