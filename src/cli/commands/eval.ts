import { readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { wilson } from "../../surgery/report.js";
import { evaluate } from "../../train/evaluate.js";
import { classifierOf, type DataFlags, dataFor, normalizeFor } from "../classifier.js";
import { command } from "../command.js";
import { dataFlags } from "../data-flags.js";
import { whole } from "../flags.js";

interface Options extends DataFlags {
  readonly normalize?: string;
  readonly batch: number;
}

export default command<[string], Options>({
  configure: (c) =>
    dataFlags(c.argument("<model>", "an ONNX file")).option(
      "--batch <n>",
      "images at once, where the file leaves it open",
      whole("--batch"),
      125,
    ),

  async run([file], { normalize: flag, batch, ...flags }, { threads, signal, progress, warn }) {
    const { model, graph, bytes } = await readModel(file);
    const classifier = classifierOf(graph, file);
    const normalize = normalizeFor(model, flag, { where: file, warn });
    const data = await dataFor(classifier, flags, progress);
    try {
      // The file as it is, unless it ends in a Softmax whose logits are wanted.
      const whole = classifier.output === graph.outputs[0]!.name;
      const session = await nodeEngine({ threads }).open(whole ? bytes : classifier.graph);
      const total = data.test?.length ?? 0;
      const phase = progress.phase("eval", total);
      const started = performance.now();
      const result = await evaluate(session, classifier, data, {
        ...{ normalize, batch, signal },
        onBatch: (images) => phase.tick(images),
      });
      const seconds = (performance.now() - started) / 1000;
      phase.done();
      await session.release();
      const imagesPerSecond = result.images / seconds;
      const [low, high] = wilson(result.top1, result.images);
      return {
        document: { ...result, imagesPerSecond, normalize: normalize.name },
        text: ({ bold }) =>
          [
            `top-1  ${bold(`${result.top1.toFixed(2)} %`)}  (95 %: ${low.toFixed(2)} – ${high.toFixed(2)})`,
            `top-5  ${result.top5.toFixed(2)} %`,
            `loss   ${result.loss.toFixed(4)}`,
            `${result.images} images, ${Math.round(imagesPerSecond)} a second, normalised by ${normalize.name}`,
          ].join("\n"),
      };
    } finally {
      await data.close();
    }
  },
});
