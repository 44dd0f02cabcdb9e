import { describe, expect, it } from "vitest";
import { findChromium } from "../web/find-chromium.js";
import { network } from "./models.js";
import { drop, fileOf, openedStudio } from "./open-studio.js";

const there = findChromium();

describe.skipIf(!there)(
  "another model, while the one before is being worked on",
  { timeout: 300_000 },
  () => {
    const open = openedStudio();

    it("gets its own answer to what if, though the other's never came", async () => {
      const { page, errors } = open.watched;
      const { bytes } = await fileOf(network);
      await drop(page, { name: "before.onnx", bytes });
      await page.getByRole("link", { name: "What if" }).click();
      const table = page.getByRole("table", { name: "Convolutions" });
      await table.waitFor();
      // A question about the first model is asked as soon as the second one begins to be read.
      await page.getByLabel("α").evaluate((input: HTMLInputElement) => {
        const ask = () => {
          input.value = "0.25";
          input.dispatchEvent(new Event("input", { bubbles: true }));
        };
        addEventListener("drop", ask, { once: true });
      });
      await drop(page, { name: "after.onnx", bytes });
      await page.getByRole("banner").getByText("after.onnx").waitFor();
      await table.waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
      expect(errors).toEqual([]);
    });
  },
);
