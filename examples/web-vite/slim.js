import {
  buildStep,
  classification,
  createTrainer,
  deploy,
  encodeModel,
  initialState,
  modelOf,
  normalizations,
  openDataFiles,
  openModelFile,
  prepare,
  sgd,
  swap,
  trainableParts,
  trainedGraph,
  webEngine,
} from "scconv/web";

/** Loads a classifier, puts SCConv into it, trains it for one pass over the images, and gives the bytes of the new .onnx file. */
export async function slim(modelFile, imageFiles, say) {
  const { graph } = await openModelFile(modelFile);
  const data = await openDataFiles(imageFiles);
  const { graph: student } = swap(prepare(graph), { layers: "second", seed: 0 });
  const engine = await webEngine();
  const program = buildStep({
    ...{ student, batch: 8, optimizer: sgd() },
    objective: classification(student, undefined, {}),
  });
  const { parameters, statistics } = trainableParts(student);
  const start = initialState(program, new Map([...parameters, ...statistics]));
  const trainer = await createTrainer(engine, program, start);
  say(`${engine.runtime}, ${engine.provider}, threads: ${engine.threads} ${engine.notes.join("; ")}`);
  const batches = { batchSize: 8, normalize: normalizations.none, shuffle: true, dropLast: true };
  for await (const { images, labels } of data.batches("train", batches)) {
    const { figures } = await trainer.step(images, labels, 0.01);
    say(`step ${trainer.steps}: loss ${figures.get("loss").toFixed(3)}`);
  }
  return encodeModel(modelOf(deploy(trainedGraph(student, trainer))));
}
