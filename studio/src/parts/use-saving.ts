import { useState } from "preact/hooks";
import { messageOf } from "../models/slot.js";

export interface Saving {
  /** A file is being made. */
  readonly busy: boolean;
  /** Why the last one could not be. */
  readonly failure: string | undefined;
  save(what: () => Promise<void>): Promise<void>;
}

/** Files that take a while to make: one at a time, and what went wrong. */
export function useSaving(): Saving {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const save = async (what: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    await what().catch((error) => setFailure(messageOf(error)));
    setBusy(false);
  };
  return { busy, failure, save };
}
