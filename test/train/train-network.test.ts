import { expect, it } from "vitest";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { sgd } from "../../src/train/optimizer.js";
import { buildStep, classification } from "../../src/train/step.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

it.each(["second", "all"])(
  "a step can be built of a network whose %s convolutions were swapped",
  (layers) => {
    // Both graphs and the step share constants by name: none may be made twice.
    const teacher = prepare(resnetCifar({ depth: 8, size: 8 }));
    const { graph: student } = swap(teacher, { layers });
    const objective = classification(student, teacher, {});
    const program = buildStep({ student, teacher, batch: 4, optimizer: sgd(), objective });
    expect(program.figures).toContain("loss");
  },
);
