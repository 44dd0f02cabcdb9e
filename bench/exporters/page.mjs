// docs/exporters.md from the results.
import { countsSection, unexplainedCounts } from "./counts.mjs";
import { letters, table } from "./markdown.mjs";
import { reasonFor } from "./reasons.mjs";
import { resultOf } from "./record.mjs";

const STEPS = ["read", "inspect", "swap", "run", "train"];

const taskOrder = ["classifier", "segmenter", "detector"];
const ordered = (networks) =>
  networks.toSorted(
    (a, b) => taskOrder.indexOf(a.task) - taskOrder.indexOf(b.task) || (a.name < b.name ? -1 : 1),
  );

/** `passed`, a reason, or `failed`. */
function judge(network, file, step, text) {
  if (text === "passed") return { state: "passed" };
  const why = reasonFor(network.name, file, step, text ?? "failed: was not run");
  return why ? { state: "reason", why } : { state: "failed", text };
}

function rowOf(network, file, result, marks) {
  const head = [network.name, file.exporter, file.opset, file.sizes];
  if (file.error) {
    const why = reasonFor(network.name, file, "export", file.error);
    return [...head, why ? `not exported: ${marks.why.of(why)}` : "**not exported**", "", "", "", "", ""];
  }
  const { steps, figures } = result ?? { steps: {}, figures: {} };
  const cells = STEPS.map((step) => {
    if (step === "train" && network.task === "detector") return "";
    if (steps.read !== "passed" && step !== "read") return "";
    const { state, why } = judge(network, file, step, steps[step]);
    if (state === "reason") return marks.why.of(why);
    if (state === "failed") return "**failed**";
    if (step === "swap") return figures.swapped === 0 ? "none fits" : "yes";
    if (step === "run") return network.task === "detector" ? figures.asItIs : figures.asItIs.toExponential(1);
    if (step === "train") return `${figures.gradient.toExponential(1)}${figures.moved ? "\\*" : ""}`;
    return "yes";
  });
  const reasons = new Map();
  for (const [why, n] of Object.entries(figures.kept ?? {})) {
    const kind = why.replace(/has \d+ groups/, "has groups").replace(/kernel is .*, not/, "kernel is not");
    reasons.set(kind, (reasons.get(kind) ?? 0) + n);
  }
  const kept = [...reasons].map(([why, n]) => `${n} ${marks.kept.of(why)}`);
  const swapped = figures.convolutions === undefined ? "" : `${figures.swapped} of ${figures.convolutions}`;
  return [...head, ...cells.slice(0, 2), [swapped, ...kept].filter(Boolean).join(", "), ...cells.slice(2)];
}

export function page(networks, { results, worst: kept = {} }, runtime) {
  const list = ordered(networks);
  const marks = { why: letters(), kept: letters("k") };
  const rows = list.flatMap((n) => n.files.map((f) => rowOf(n, f, resultOf(results, n, f), marks)));
  const { torch, torchvision, timm } = list[0].versions;
  const files = list.flatMap((n) => n.files.filter((f) => !f.error).map((f) => resultOf(results, n, f)));
  const figure = (r, key) => (typeof r?.figures[key] === "number" ? r.figures[key] : 0);
  const worst = (key) => Math.max(kept[key] ?? 0, ...files.map((r) => figure(r, key))).toExponential(1);
  const dates = [...new Set(list.map((n) => n.checked))].toSorted();
  const checked = dates.map((d) => `${list.filter((n) => n.checked === d).length} on ${d}`).join(", ");
  return `# Networks as PyTorch's exporters write them

${list.length} networks of torchvision ${torchvision} and timm ${timm}, written by both exporters of PyTorch ${torch} (TorchScript:
\`dynamo=False\`; dynamo: \`dynamo=True\`) in two operator sets each, run by ${runtime} (${checked}). Made by

\`\`\`sh
python bench/exporters/export-models.py DIR      # pip install torch torchvision timm onnx onnxscript safetensors
npm run exporters -- --models DIR --json bench/exporters/results.json --page docs/exporters.md
\`\`\`

which fails when a step fails without a reason, or when a reason is no longer needed. Weights are random and seeded, running
statistics are those of images that went through. The first file of an exporter has fixed sizes (batch 2), the second leaves
batch, height and width open and is run at other sizes than it was traced at (batch 3); dynamo's second file keeps its weights
in a file beside it.

- **read**: decoded, brought up to operator set 18 where it is older, verified, constants folded, all operators known.
- **inspect**: parameters and multiply-adds are numbers, and every parameter that PyTorch trains is found in the file, as it is
  or with a batch norm folded into it (by value: exporters rename them).
- **swap**: all convolutions that SCConv fits are swapped, and why the others stay; written, read again under the same names of
  inputs and outputs, run by the engine; outputs have the shapes that they had and are finite.
- **run**: the file as it is and our reading of it written again, against PyTorch's outputs (float64): ‖difference‖ / ‖outputs‖ ≤ 1e-4. Of a detector's boxes 98 % have to be among PyTorch's (float32) with label, score (1e-3)
  and corners (0.05 pixels), and its among ours: which of two scores comes first, and what lies at the cut, hangs on rounding. Faster R-CNN and
  RetinaNet get images that they need not resize: the engine's Resize and PyTorch's round coordinates differently. The figure is
  of the file as it is; the worst of our reading is ${worst("rewritten")}. torchvision's compiled operators do not fit the PyTorch that ran here: its
  suppression of boxes and its RoIAlign are written from their definitions (bench/exporters/torchvision_ops.py).
- **train**: loss (cross-entropy with fixed labels) and the gradients of all weights in the file by our differentiation, on the
  engine in float32, against PyTorch's autograd in float64: the worst parameter's ‖difference‖ / ‖gradient‖ ≤ 1e-3; the worst
  loss differs by ${worst("loss")}. Batch norms are in inference form, as the file has them: folded W′ = a·W has the gradient
  (∂L/∂W)/a. Dropout is off. Images are drawn so that PyTorch's own float32 gradients lie within 1e-4 of its float64 ones,
  which is so where no ReLU stands so near its corner that rounding decides on which side; where one still does, the comparison is
  made again beside it, with images that differ by 1e-6 of themselves (\\*, up to eight times; elsewhere that moves gradients by about 1e-6).
  VGG-16's images, which have to be 224×224, repeat a patch of 4×4: fewer different values stand in front of its ReLUs.

${table(["network", "exporter", "set", "sizes", "read", "inspect", "swapped", "swap", "run", "train"], rows)}

Kept convolutions:

${marks.kept.legend()}

Reasons:

${marks.why.legend() || "None is needed."}

${countsSection(list)}
`;
}

/** Everything that did not pass and has no reason. */
export function unexplained(networks, results) {
  const wrong = [];
  for (const network of networks) {
    for (const file of network.files) {
      const where = `${network.name} ${file.exporter}-${file.opset}`;
      if (file.error) {
        if (!reasonFor(network.name, file, "export", file.error))
          wrong.push(`${where}: export ${file.error}`);
        continue;
      }
      const steps = resultOf(results, network, file)?.steps ?? {};
      if (steps.read !== undefined && steps.read !== "passed") {
        if (judge(network, file, "read", steps.read).state === "failed")
          wrong.push(`${where}: read ${steps.read}`);
        continue;
      }
      for (const step of STEPS) {
        if (step === "train" && network.task === "detector") continue;
        const { state, text } = judge(network, file, step, steps[step]);
        if (state === "failed") wrong.push(`${where}: ${step} ${text ?? "was not run"}`);
      }
    }
  }
  return [...wrong, ...unexplainedCounts(networks)];
}
