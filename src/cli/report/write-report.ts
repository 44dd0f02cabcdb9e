import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { checkWritableFolder, makeFolder, type WriteOptions, writeFileWhole } from "../../host/node/files.js";
import type { Html } from "../../report/html.js";
import { reportPage } from "../../report/page.js";
import type { SlimReport } from "../../surgery/report.js";

/** Before the work: whether a report could be written into `folder`, and would replace nothing. */
export async function checkReportFolder(folder: string, { force = false }: WriteOptions = {}): Promise<void> {
  for (const name of ["report.json", "index.html"]) {
    const path = join(folder, name);
    if (!force && (await stat(path).catch(() => undefined))) {
      throw new ScconvError("bad-input", "exists already", { where: path, hint: "--force replaces it" });
    }
  }
  await checkWritableFolder(folder);
}

/** Writes `report.json` and `index.html`; returns the page's path. */
export async function writeReport(
  folder: string,
  report: SlimReport,
  { pictures, ...options }: WriteOptions & { readonly pictures?: Html | undefined } = {},
): Promise<string> {
  await makeFolder(folder);
  await writeFileWhole(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`, options);
  const page = join(folder, "index.html");
  await writeFileWhole(page, reportPage(report, { pictures }), options);
  return page;
}
