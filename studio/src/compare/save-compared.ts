import { type ComparedLook, comparedPage } from "scconv";
import { captionOf } from "../features/caption-of.js";
import { drawMaps } from "../features/draw-maps.js";
import { image } from "../features/look.js";
import { opened, openedSecond } from "../models/slots.js";
import { saveFile, stemOf } from "../parts/save-file.js";
import { timesNow } from "../report/times-now.js";
import { agreementOf } from "./agreement.js";
import { compared, secondIsSwap } from "./comparison.js";
import { normalize, ownNormalize, pictures, rangeOfBoth, scale } from "./pictures.js";

declare const SCCONV_VERSION: string;

export const swapNote =
  "The second is the swap of What if, as it was: its units have fresh weights, which shows in maps and scores.";

/** What the page knows of both models as one file: the layers that differ, the maps of one, and times, where they were measured. */
export function saveCompared(): void {
  const state = compared.peek();
  if (state.kind !== "known") return;
  const [one, other] = [opened.peek()!.summary, openedSecond.peek()!.summary];
  const { layers, parameters, macs } = state.comparison;
  const page = comparedPage({
    ...{ names: [one.name, other.name], bytes: [one.size, other.size] },
    ...{ layers, parameters, macs, look: lookNow(), times: timesNow(), version: SCCONV_VERSION },
    note: secondIsSwap.peek() ? swapNote : undefined,
  });
  saveFile(`${stemOf(one.name)}-and-${stemOf(other.name)}.html`, page, "text/html");
}

function lookNow(): ComparedLook | undefined {
  const state = pictures.peek();
  const shown = image.peek();
  if (state.kind !== "seen" || !shown) return undefined;
  const { maps } = state;
  const range = rangeOfBoth(maps);
  const [first, second] = maps.map((m) => {
    const canvas = document.createElement("canvas");
    drawMaps(canvas, m, { scale: scale.peek(), range, width: 440, ink: "#1d2126", paper: "#ffffff" });
    return {
      layer: [m.name, ...m.through].join(" → "),
      caption: captionOf(m),
      picture: canvas.toDataURL("image/png"),
    };
  });
  return {
    image: shown.name,
    normalize: normalize.peek() ?? ownNormalize.peek() ?? "none",
    agreement: agreementOf(maps[0].scores, maps[1].scores),
    sides: [first!, second!],
  };
}
