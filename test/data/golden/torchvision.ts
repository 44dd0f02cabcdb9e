import { readFileSync } from "node:fs";

interface Golden {
  readonly colours: string;
  readonly jitter: readonly {
    what: "brightness" | "contrast" | "saturation" | "hue";
    by: number;
    pixels: string;
  }[];
  readonly picture: string;
  readonly crops: readonly {
    box: [top: number, left: number, height: number, width: number];
    pixels: string;
  }[];
  readonly view: { size: number; share: number; pixels: string };
  readonly draws: readonly ({ height: number; width: number } & Record<DrawFigure, number>)[];
}
export type DrawFigure = "area" | "logRatio" | "ratioDeviation" | "top" | "left";

/** What torchvision makes of the same pictures; made by `torchvision.py`. */
export const golden = JSON.parse(
  readFileSync(new URL("./torchvision.json", import.meta.url), "utf8"),
) as Golden;

export const bytesIn = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
