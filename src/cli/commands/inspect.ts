import { opsetOf } from "../../graph/ir.js";
import { checkWritable, writeFileWhole } from "../../host/node/files.js";
import { readModel } from "../../host/node/models.js";
import { perImage } from "../../ops/per-image.js";
import type { InspectedLayer } from "../../report/inspected.js";
import { inspectedPage } from "../../report/inspected-page.js";
import { layerTable } from "../../surgery/layer-table.js";
import { command } from "../command.js";
import { commandLine } from "../command-line.js";
import { givesImages, type ImageFlags, imageFlags } from "../features/image-flags.js";
import { inspectedTable } from "../inspect/inspected-table.js";
import { version } from "../version.js";

interface Options extends ImageFlags {
  readonly all?: boolean;
  readonly html?: string;
  readonly time?: boolean;
  readonly force?: boolean;
}

export default command<[string], Options>({
  configure: (c) =>
    imageFlags(c.argument("<model>", "an ONNX file"), {
      size: "height and width, where the file leaves them open (also of --data's images)",
    })
      .option("--all", "list every node, not only those with weights or multiply-adds")
      .option("--time", "how long each layer takes here, by the engine's profile")
      .option("--html <file>", "the same as a page: layers with bars")
      .option("--force", "replace an existing page"),

  async run([file], { all, html, time, force, ...flags }, context) {
    const images = givesImages(flags);
    if (html !== undefined) await checkWritable(html, { force });
    const read = await readModel(file, context);
    const graph = perImage(read.graph, flags.size);
    // The engine takes longer to load than a model's table to make.
    const measuring = time || images ? await import("../inspect/measured.js") : undefined;
    const times = time ? await measuring!.timesOf(graph, { file, size: flags.size }, context) : undefined;
    const measured = images ? await measuring!.redundancyOf(read, { file, flags }, context) : undefined;
    const { layers, sized, ...totals } = layerTable(read.graph, {
      size: flags.size,
      opset: opsetOf(read.model.graph),
    });
    const inspected = {
      ...{ ...totals, bytes: read.size },
      // A row for each node, in their order.
      layers: layers.map((layer, i): InspectedLayer => {
        const node = graph.nodes[i]!;
        const ms = times?.ms.get(node);
        const redundancy = measured?.byValue.get(node.outputs[0] ?? "");
        return {
          ...layer,
          ...(ms === undefined ? {} : { ms }),
          ...(redundancy === undefined ? {} : { redundancy }),
        };
      }),
      ...(times ? { timing: times.timing } : {}),
      ...(measured ? { images: measured.count } : {}),
    };
    if (html !== undefined) {
      const page = inspectedPage(inspected, { file, command: commandLine(context.argv), version });
      await writeFileWhole(html, page, { force });
    }
    return {
      document: { ...inspected, ...(html === undefined ? {} : { html }) },
      text: (paint) =>
        [
          inspectedTable(inspected, { paint, all: Boolean(all), sized }),
          ...(html === undefined ? [] : [`the page is ${html}`]),
        ].join("\n"),
    };
  },
});
