import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatSigned } from "scconv";
import { dark } from "../app/theme.js";
import { Note } from "../parts/message.js";
import { Name } from "../parts/name.js";
import type { LayerMaps } from "../worker/protocol.js";
import { captionOf } from "./caption-of.js";
import { drawMaps, pairLetters, type Range, type Scale } from "./draw-maps.js";

interface Props {
  readonly maps: LayerMaps;
  readonly scale: Scale;
  /** Of the grey values, where maps of another layer are beside them. */
  readonly range?: Range | undefined;
}

/** All maps of a layer on one image, and how alike they are. */
export function MapGrid({ maps, scale, range }: Props) {
  const frame = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (width === 0) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    drawMaps(canvas.current!, maps, {
      ...{ scale, range, width, ink: colour("--pico-color"), paper: colour("--pico-background-color") },
    });
  }, [maps, scale, range?.join(), width, dark.value]);
  const { redundancy: r } = maps;
  const caption = captionOf(maps);
  return (
    <>
      <figure class="maps" ref={frame}>
        <figcaption>
          <Name>{maps.name}</Name> <small>{[maps.op, ...maps.through].join(" → ")}</small>
          <br />
          {caption}
        </figcaption>
        <canvas ref={canvas} role="img" aria-label={`Feature maps of ${maps.name}: ${caption}`} />
      </figure>
      <Note>
        {r.mostAlike.length === 0
          ? "No two maps are alike (cosine of the centred maps from 0.9)."
          : `Most alike (cosine of the centred maps): ${r.mostAlike.map((p, k) => `${pairLetters[k]}: ${p.maps.join(" ~ ")} (${formatSigned(p.similarity, 3)})`).join(" · ")}`}
      </Note>
    </>
  );
}
