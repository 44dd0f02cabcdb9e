import { signal } from "@preact/signals";

/** In the order of the work. */
export const views = [
  { id: "layers", title: "Layers" },
  { id: "what-if", title: "What if" },
  { id: "latency", title: "Latency" },
  { id: "train", title: "Fine-tune" },
  { id: "features", title: "Feature maps" },
  { id: "compare", title: "Compare" },
] as const;
export type ViewId = (typeof views)[number]["id"];

const fromHash = (): ViewId => views.find((v) => `#${v.id}` === location.hash)?.id ?? "layers";

/** The view is the page's fragment: links, and the browser's way back, work. */
export const view = signal<ViewId>(fromHash());
addEventListener("hashchange", () => {
  view.value = fromHash();
});
