import { useEffect, useRef } from "preact/hooks";
import { formatBytes } from "scconv";
import { CompareView } from "../compare/compare-view.js";
import { FeaturesView } from "../features/features-view.js";
import { LatencyView } from "../latency/latency-view.js";
import { LayersView } from "../layers/layers-view.js";
import { first, opened } from "../models/slots.js";
import { droppedFiles } from "../parts/dropped-files.js";
import { Failure } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { useNarrow } from "../parts/use-narrow.js";
import { saveReport } from "../report/save-report.js";
import { TrainingView } from "../training/training-view.js";
import { WhatIfView } from "../what-if/what-if-view.js";
import { StartView } from "./start-view.js";
import { refusal, takeFiles } from "./take.js";
import { ThemeSelect } from "./theme.js";
import { type ViewId, view, views } from "./views.js";

const bodies: Readonly<Record<ViewId, () => preact.JSX.Element>> = {
  layers: LayersView,
  "what-if": WhatIfView,
  latency: LatencyView,
  train: TrainingView,
  features: FeaturesView,
  compare: CompareView,
};

export function App() {
  useEffect(() => {
    const over = (e: DragEvent) => e.preventDefault();
    const drop = async (e: DragEvent) => {
      e.preventDefault();
      if (e.dataTransfer) takeFiles(await droppedFiles(e.dataTransfer));
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, []);
  const state = first.state.value;
  const main = useRef<HTMLElement>(null);
  const was = useRef(state.kind);
  useEffect(() => {
    // The button that opened or closed a model is gone: the keyboard goes on where its model is, or was.
    if (was.current !== state.kind && document.activeElement === document.body)
      main.current?.focus({ preventScroll: true });
    was.current = state.kind;
  }, [state.kind]);
  return (
    <>
      <header class="top">
        <h1>
          <img src="./icon.svg" alt="" width={26} height={26} /> scconv <span>studio</span>
        </h1>
        {state.kind === "open" && <ModelChip />}
        <ThemeSelect />
      </header>
      {state.kind === "open" && <Views />}
      <main ref={main} tabIndex={-1}>
        {refusal.value && <Failure>{refusal.value}</Failure>}
        {state.kind === "opening" ? <Opening name={state.files.model.name} /> : <Body />}
      </main>
    </>
  );
}

function Body() {
  const model = opened.value;
  if (!model) return <StartView />;
  const View = bodies[view.value];
  return <View />;
}

function Opening({ name }: { readonly name: string }) {
  return (
    <section class="opening">
      <p aria-busy="true" role="status">
        Reading <Name>{name}</Name> …
      </p>
      <button type="button" class="outline" onClick={() => first.close()}>
        Stop
      </button>
    </section>
  );
}

function ModelChip() {
  const { summary } = opened.value!;
  return (
    <div class="chip">
      <Name>{summary.name}</Name>
      <small>{formatBytes(summary.size)}</small>
      <button type="button" class="report" onClick={saveReport}>
        Report
        <span class="visually-hidden"> of the model, as a page to keep</span>
      </button>
      <button type="button" class="close" aria-label="Close the model" onClick={() => first.close()}>
        ×
      </button>
    </div>
  );
}

function Views() {
  const nav = useRef<HTMLElement>(null);
  const narrow = useNarrow();
  // On a phone the row of views is wider than the window.
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view.value, narrow]);
  return (
    <nav class="views" aria-label="Views" ref={nav}>
      <ul>
        {views.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`} aria-current={view.value === id ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
