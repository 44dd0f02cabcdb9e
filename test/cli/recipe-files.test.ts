import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecipeFlags, recipeOf } from "../../src/cli/recipe-files.js";
import { imagenetCrop } from "../../src/data/resized-crop.js";
import { augmentOf, completeRecipe, optimizerOf, scheduleOf, trainRecipe } from "../../src/train/recipe.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scconv-recipe-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(content: unknown): Promise<string> {
  const path = join(folder, `${Math.random()}.json`);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}
const read = (flags: RecipeFlags) => recipeOf(flags, trainRecipe);

describe("the paper's recipe for CIFAR", () => {
  it("is the paper's", async () => {
    const { recipe, data } = await read({ recipe: "paper-cifar" });
    expect(recipe).toMatchObject({
      epochs: 200,
      batch: 128,
      lr: 0.05,
      weightDecay: 5e-4,
      pad: 4,
      flip: true,
    });
    expect(data.normalize).toBe("cifar10");
    expect(optimizerOf(recipe)).toMatchObject({ name: "sgd", weightDecay: 5e-4, decayNorms: true });
    // 390 steps an epoch.
    const rate = (epoch: number) => scheduleOf(recipe)(epoch * 390, 200 * 390);
    for (const [epoch, expected] of [
      ...([
        [0, 0.05],
        [99.99, 0.05],
        [100, 0.005],
        [149.99, 0.005],
        [150, 5e-4],
        [199, 5e-4],
      ] as const),
    ]) {
      expect(rate(epoch), `epoch ${epoch}`).toBeCloseTo(expected, 12);
    }
  });

  it("is shortened as a whole by --epochs", async () => {
    const { recipe } = await read({ recipe: "paper-cifar", epochs: 20 });
    expect([9, 10, 15].map((e) => scheduleOf(recipe)(e * 390, 20 * 390))).toEqual([
      0.05,
      expect.closeTo(0.005, 12),
      expect.closeTo(5e-4, 12),
    ]);
  });
});

describe("the paper's recipe for ImageNet", () => {
  it("is the paper's", async () => {
    const { recipe, data } = await read({ recipe: "paper-imagenet" });
    expect(recipe).toMatchObject({ epochs: 100, lr: 0.1, weightDecay: 1e-4, momentum: 0.9, nesterov: false });
    expect(data).toEqual({ normalize: "imagenet", size: 224, crop: 0.875 });
    expect(augmentOf(recipe)).toEqual({ resizedCrop: imagenetCrop, pad: 0, flip: true });
    const rates = [0, 29, 30, 60, 90].map((e) => scheduleOf(recipe)(e * 5004, 100 * 5004));
    [0.1, 0.1, 0.01, 0.001, 1e-4].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });
});

describe("settings", () => {
  it("come from the defaults, the named recipe, the file and the flags, each over the one before", async () => {
    const config = await file({ lr: 0.7, momentum: 0.5, milestones: [3, 4], about: "a trial" });
    const { recipe } = await read({ recipe: "paper-cifar", config, momentum: 0.6 });
    expect(recipe).toEqual({
      ...{ ...trainRecipe, epochs: 200, lr: 0.7, momentum: 0.6, nesterov: false, decayNorms: true },
      ...{ schedule: "steps", milestones: [3, 4], warmup: 0 },
    });
  });

  it("of data are apart", async () => {
    const config = await file({ normalize: "0.5/0.25", size: 16 });
    expect(await read({ config })).toEqual({
      recipe: trainRecipe,
      data: { normalize: "0.5/0.25", size: 16 },
    });
  });

  it("that a run recorded before there were others are completed", () => {
    const { nesterov: _, milestones: __, ...old } = trainRecipe;
    expect(completeRecipe(old)).toEqual(trainRecipe);
  });

  it.each([
    [{ epoch: 3 }, /no setting is called "epoch".*epochs/],
    [{ milestones: "0.5" }, /milestones is no list of numbers/],
    [{ milestones: [0.5, 1.5] }, /--milestones.*shares between 0 and 1, or whole/],
    [{ nesterov: 1 }, /nesterov is no boolean/],
    [{ lr: 0 }, /--lr/],
    [{ jitter: [0.1, 0.1, 0.1, 0.6] }, /--jitter.*hue of at most 0.5/],
    [{ batch: 10, accumulate: 4 }, /--accumulate.*divisor/],
    [{ crop: 2 }, /--crop/],
    [{ normalize: "imagenett" }, /--normalize.*imagenet/],
    [{ size: "x" }, /--size/],
    [{ schedule: "steps", epochs: 100, milestones: [50, 100] }, /never reached.*100 of 100.*shares/],
    ["[1]", /not a JSON object/],
    ["{", /not JSON/],
  ])("%j are refused", async (content, message) => {
    await expect(read({ config: await file(content) })).rejects.toThrowError(message);
  });
});
