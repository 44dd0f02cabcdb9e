import { Session } from "node:inspector";

/**
 * Which blocks of our own code ran since the last time one asked: V8's precise coverage, through the inspector that Node
 * brings. Started before the code is loaded.
 */
export function startCoverage() {
  const session = new Session();
  session.connect();
  const post = (method, params) => {
    let answer;
    session.post(method, params, (error, result) => {
      if (error) throw new Error(error.message);
      answer = result;
    });
    return answer;
  };
  post("Profiler.enable");
  post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  return () => {
    const blocks = [];
    for (const { url, scriptId, functions } of post("Profiler.takePreciseCoverage").result) {
      if (!url.includes("/dist/")) continue;
      for (const { ranges } of functions) {
        for (const r of ranges)
          if (r.count > 0) blocks.push(`${scriptId}:${r.startOffset}:${r.endOffset}:${magnitude(r.count)}`);
      }
    }
    return blocks;
  };
}

/** Once, a few times, or many: the classes that coverage-guided fuzzers tell apart. */
const magnitude = (n) => (n < 4 ? n : n < 32 ? 4 : 5);
