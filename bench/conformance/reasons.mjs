// Why a step of a case is not held against us. Rules by message come first; cases by name must each still need their reason.

/** What an engine's message means, wherever it occurs. */
const byMessage = [
  [
    /Could not find an implementation for (\S+?)\((\d+)\)/,
    (m) => `the engine has no kernel for ${m[1]}(${m[2]}) of this type`,
  ],
  [
    /takes no (\w+) tensors|Unsupported data type: 16/,
    () => "the engine's JavaScript interface takes no bfloat16",
  ],
  [
    /element type number (\d+) is not supported/,
    (m) => `elements of type ${elementTypes[m[1]] ?? m[1]} are not held here`,
  ],
  [/type number \d+ .*/, () => "elements of a type that is not held here"],
];

const elementTypes = {
  8: "text",
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4e2m1",
  24: "float8e8m0",
  25: "uint2",
  26: "int2",
};

/** [cases, steps, why] */
const byCase = [
  [
    /resize_downsample_scales_(linear|cubic)_align_corners$/,
    ["reference", "engine", "upgraded"],
    "align_corners with a scale that does not divide: ONNX's reference takes the output size before rounding, the engine after; ours is the engine's",
  ],
  [
    /training_dropout_(default|mask)?(_mask)?$|training_dropout$/,
    ["reference", "engine", "upgraded"],
    "draws random numbers: ours and the engine's are not numpy's",
  ],
];

const used = new Set();

/** The reason for a failed step, or undefined where there is none. */
export function reasonFor(folder, step, message) {
  for (const [pattern, text] of byMessage) {
    const m = pattern.exec(message);
    if (m) return text(m);
  }
  for (const entry of byCase) {
    if (!entry[0].test(folder) || !entry[1].includes(step)) continue;
    used.add(entry);
    return entry[2];
  }
  return undefined;
}

/** Reasons that no case of a whole run needed: they are out of date. */
export const unusedReasons = () => byCase.filter((entry) => !used.has(entry)).map((entry) => `${entry[0]}`);
