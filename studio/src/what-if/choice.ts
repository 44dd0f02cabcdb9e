import { computed, effect, signal } from "@preact/signals";
import { scconvDefaults } from "scconv";
import { messageOf } from "../models/slot.js";
import { first, opened } from "../models/slots.js";
import type { Choice, UnitSettings, WhatIf } from "../worker/protocol.js";

const { alpha, squeeze, convGroups, groups, threshold, gate, scope, order, fuse } = scconvDefaults;
/** The paper's, but for gates that begin open: fresh units let everything pass. */
export const startSettings: UnitSettings = {
  ...{ alpha, squeeze, convGroups, groups, threshold, gate, scope, order, fuse },
  gateBias: 2,
};

export const settings = signal<UnitSettings>(startSettings);
/** Names of the convolutions that are ticked; those that the settings do not fit stay ticked, and are not swapped. */
export const ticked = signal<ReadonlySet<string>>(new Set());
export const choice = computed<Choice>(() => ({ layers: [...ticked.value], settings: settings.value }));

export type Answer =
  | { readonly kind: "none" }
  | { readonly kind: "waiting"; readonly last: WhatIf | undefined }
  | { readonly kind: "known"; readonly whatIf: WhatIf }
  | { readonly kind: "failed"; readonly message: string };

export const answer = signal<Answer>({ kind: "none" });
/** What the last answer says, also while a new one is on its way. */
export const lastAnswer = computed<WhatIf | undefined>(() => {
  const a = answer.value;
  return a.kind === "known" ? a.whatIf : a.kind === "waiting" ? a.last : undefined;
});
/** Of the convolutions that are ticked and fit. */
export const swappedCount = computed(() => lastAnswer.value?.rows.filter((r) => r.chosen).length ?? 0);

// Another model: another choice, which begins with the second convolution of each block, or with all where there are no blocks.
let chosenFor: unknown;
effect(() => {
  const model = opened.value;
  const presets = first.presets.value;
  if (!model || !presets || chosenFor === model.files) return;
  chosenFor = model.files;
  ticked.value = new Set(presets.second.length > 0 ? presets.second : presets.all);
});

const ready = computed(() => opened.value !== undefined && first.presets.value !== undefined);

// The worker answers one question at a time; of those that came meanwhile only the last is asked.
let asking = false;
effect(() => {
  choice.value;
  opened.value;
  if (!ready.value) {
    answer.value = { kind: "none" };
    return;
  }
  if (!asking) void ask();
});

async function ask(): Promise<void> {
  asking = true;
  let asked: Choice | undefined;
  let model: unknown;
  try {
    // A model that is not ready yet asks by itself when it is.
    while (ready.peek() && (asked !== choice.peek() || model !== opened.peek())) {
      asked = choice.peek();
      model = opened.peek();
      answer.value = { kind: "waiting", last: lastAnswer.peek() };
      try {
        const whatIf = await first.api.whatIf(asked);
        if (opened.peek() === model) answer.value = { kind: "known", whatIf };
      } catch (error) {
        // Where the model is another by now, this one's worker went with it.
        if (opened.peek() === model) answer.value = { kind: "failed", message: messageOf(error) };
      }
    }
  } finally {
    asking = false;
  }
}
