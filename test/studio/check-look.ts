import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright";
import { expect } from "vitest";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let source: string | undefined;

/** Nothing sticks out to the side, no line of a card is without its value, and axe finds nothing that keeps people out (WCAG 2.2 A and AA). */
export async function checkLook(page: Page, as: string): Promise<void> {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider, `${as}: pixels wider than the window`).toBeLessThanOrEqual(0);
  const titles = await page.locator(".cell-title").evaluateAll((all) =>
    all.flatMap((title) => {
      const says = title.textContent ?? "";
      return title.parentElement?.textContent?.trim() === says ? [says] : [];
    }),
  );
  expect(titles, `${as}: lines without a value`).toEqual([]);
  // Colours on their way to those of another theme are none that anybody reads. (Bars of what takes a while move for ever.)
  await page.evaluate(() => {
    for (const a of document.getAnimations()) if (a instanceof CSSTransition) a.finish();
  });
  source ??= await readFile(axe, "utf8");
  // By the debugger: the page's own policy would not let it in as a script.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    interface Axe {
      run(
        options: object,
      ): Promise<{ violations: { id: string; nodes: { html: string; any: { message: string }[] }[] }[] }>;
    }
    const { violations: found } = await (globalThis as unknown as { axe: Axe }).axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return found.map(
      ({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.any[0]?.message ?? ""}`,
    );
  });
  expect(violations, as).toEqual([]);
}
