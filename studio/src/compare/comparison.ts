import { effect, signal } from "@preact/signals";
import { size } from "../features/look.js";
import { messageOf } from "../models/slot.js";
import { first, opened, openedSecond, second } from "../models/slots.js";
import { stemOf } from "../parts/save-file.js";
import { choice } from "../what-if/choice.js";
import type { ModelFiles } from "../worker/protocol.js";
import type { Comparison } from "./protocol.js";

export type Compared =
  | { readonly kind: "none" }
  | { readonly kind: "waiting" }
  | { readonly kind: "known"; readonly comparison: Comparison }
  | { readonly kind: "failed"; readonly message: string };

export const compared = signal<Compared>({ kind: "none" });
/** The second model is the swap of What if, as it was then. */
export const secondIsSwap = signal(false);

export function openSecond(files: ModelFiles): void {
  secondIsSwap.value = false;
  void second.open(files);
}

/** What the swap of What if would make, as the second model. */
export async function openSwap(): Promise<void> {
  const name = `${stemOf(opened.peek()!.summary.name)}-swapped.onnx`;
  const bytes = await first.api.swapped(choice.peek());
  await second.open({ model: new File([bytes], name), external: [] });
  secondIsSwap.value = true;
}

export function closeSecond(): void {
  secondIsSwap.value = false;
  second.close();
}

/** The first model that was open last. */
let swapOf: unknown;
// Another first model: the swap was of the one before; a file may be compared with it, too.
effect(() => {
  const model = opened.value;
  if (!model && first.state.value.kind === "empty") closeSecond();
  else if (model && secondIsSwap.peek() && swapOf !== undefined && swapOf !== model.files) closeSecond();
  if (model) swapOf = model.files;
});
let turn = 0;
effect(() => {
  const [one, other] = [opened.value, openedSecond.value];
  const mine = ++turn;
  if (!one || !other) {
    compared.value = { kind: "none" };
    return;
  }
  compared.value = { kind: "waiting" };
  const open = one.summary.open || other.summary.open;
  second.api.compare(one.files, other.files, open ? size.peek() : undefined).then(
    (comparison) => {
      if (mine === turn) compared.value = { kind: "known", comparison };
    },
    (error) => {
      if (mine === turn) compared.value = { kind: "failed", message: messageOf(error) };
    },
  );
});
