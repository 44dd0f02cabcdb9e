import { readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { wilson } from "../../surgery/report.js";
import { accuracyOf } from "../../train/accuracy.js";
import { classifierOf } from "../../train/classifier.js";
import { assumedNormalize, cropFor, statedNormalize } from "../../train/model-images.js";
import { command } from "../command.js";
import { dataFlags } from "../data-flags.js";
import { type DataFlags, dataFor } from "../data-for.js";
import { whole } from "../flags.js";
import { warnOfLikelier } from "../likelier-normalize.js";

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

  async run([file], { normalize: flag, batch, ...flags }, context) {
    const { model, graph, runnable } = await readModel(file, context);
    const classifier = classifierOf(graph, file);
    const stated = statedNormalize(model, flag, { where: file });
    const normalize = stated ?? assumedNormalize({ where: file, warn: context.warn });
    const crop = cropFor(model, flags.crop, file);
    const data = await dataFor(classifier, { ...flags, crop }, context.progress);
    try {
      const engine = nodeEngine();
      if (!stated) await warnOfLikelier(engine, { classifier, runnable }, { data, where: file }, context);
      const how = { label: "eval", normalize, batch };
      const result = await accuracyOf(engine, { classifier, runnable }, data, how, context);
      const [low, high] = wilson(result.top1, result.images);
      return {
        document: { ...result, normalize: normalize.name },
        text: ({ bold }) =>
          [
            `top-1  ${bold(`${result.top1.toFixed(2)} %`)}  (95 %: ${low.toFixed(2)} – ${high.toFixed(2)})`,
            `top-5  ${result.top5.toFixed(2)} %`,
            `loss   ${result.loss.toFixed(4)}`,
            `${result.images} images, ${Math.round(result.imagesPerSecond)} a second, normalised by ${normalize.name}`,
          ].join("\n"),
      };
    } finally {
      await data.close();
    }
  },
});
