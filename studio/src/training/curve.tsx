import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { dark } from "../app/theme.js";
import { EpochsTable } from "./epochs-table.js";
import type { LossChart } from "./loss-chart.js";
import { course } from "./training.js";

/** At most so often, in milliseconds: steps of small networks come faster than anyone sees. */
const OFTEN = 250;

/** The course of a run as a picture, and as a table. */
export function Curve() {
  const { losses, calibrated } = course.value;
  return (
    <>
      {losses.length > 0 && <Picture />}
      {calibrated && <EpochsTable />}
    </>
  );
}

function Picture() {
  const frame = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<LossChart>();
  const drawn = useRef(0);
  useEffect(() => {
    let gone = false;
    let made: LossChart | undefined;
    // The library comes when there is something to draw, and not with the page.
    void import("./loss-chart.js").then(({ lossChart }) => {
      if (gone) return;
      made = lossChart(frame.current!);
      setChart(made);
    });
    const watch = new ResizeObserver(() => made?.resize());
    watch.observe(frame.current!);
    return () => {
      gone = true;
      watch.disconnect();
      made?.dispose();
    };
  }, []);
  const now = course.value;
  useLayoutEffect(() => {
    if (!chart) return;
    const draw = () => {
      drawn.current = performance.now();
      chart.draw(course.peek(), inks());
    };
    const wait = OFTEN - (performance.now() - drawn.current);
    if (wait <= 0) return draw();
    const timer = setTimeout(draw, wait);
    return () => clearTimeout(timer);
  }, [chart, now, dark.value]);
  const { losses, epochs } = now;
  const said = [
    `Loss from ${losses[0]![1].toFixed(2)} at the first step to ${losses.at(-1)![1].toFixed(2)} at step ${losses.at(-1)![0]}`,
    ...(epochs.length > 0 ? [`top-1 ${epochs.at(-1)!.top1.toFixed(2)} % after epoch ${epochs.length}`] : []),
  ].join("; ");
  return (
    <figure class="curve">
      <div ref={frame} role="img" aria-label={`${said}. The table below has the figures of each epoch.`} />
    </figure>
  );
}

function inks() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour("--pico-color"),
    rule: colour("--pico-muted-border-color"),
    ...(dark.peek() ? { loss: "#56b4e9", accuracy: "#e69f00" } : { loss: "#0072b2", accuracy: "#b34d00" }),
  };
}
