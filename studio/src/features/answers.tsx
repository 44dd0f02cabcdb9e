import { formatSigned } from "scconv";
import type { Answer } from "../worker/protocol.js";

/** The largest scores of a classifier. */
export function Answers({ answers }: { readonly answers: readonly Answer[] }) {
  if (answers.length === 0) return null;
  return (
    <p class="facts">
      {answers.map(({ index, score }) => (
        <span key={index}>
          class {index}: <strong>{formatSigned(score, 5)}</strong>
        </span>
      ))}
    </p>
  );
}
