import { computed } from "@preact/signals";
import { createSlot } from "./slot.js";

/** The model that is worked on, and one to compare it with. */
export const first = createSlot("model");
export const second = createSlot("second model");

export const opened = computed(() => (first.state.value.kind === "open" ? first.state.value : undefined));
export const openedSecond = computed(() =>
  second.state.value.kind === "open" ? second.state.value : undefined,
);
