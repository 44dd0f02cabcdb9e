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
  [
    /Type 'tensor\((\w+)\)' of input parameter .* of operator \((\w+)\)/,
    (m) => `the operator sets that the engine takes (to 26) do not have ${m[2]} of this type`,
  ],
  [
    /sub-graphs are not converted/,
    () => "a set that the engine does not take, and sub-graphs are not written in older sets",
  ],
  [/operator set [1-5] is too old/, () => "operator sets before 6"],
  [/Scan had a batch axis/, () => "Scan of operator set 8"],
  [/SpaceToDepth .*mode CRD/, () => "the engine does not take set 28, in which SpaceToDepth has modes"],
  [/CallModImpl|fmod attribute must be true/, () => "the engine's Mod takes floats with fmod only"],
  [
    /not defined for empty set with bool/,
    () => "the engine's ReduceMax does not take an empty set of truth values",
  ],
  [/IsScalarOr1ElementVector\(W_Zero_Point\)/, () => "the engine's ConvInteger takes one zero point only"],
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
    /maxunpool_export_with_output_shape$/,
    ["engine"],
    "the engine counts MaxUnpool's indices in the larger image, the case in the one that the window leads back to",
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
