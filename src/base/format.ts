import { type Dim, formatSize } from "./dims.js";

/** Numbers as people read them. A digit is shown only where it is known to mean something. */

const scales = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** 1.23 M. */
export function formatCount(n: number): string {
  for (const [unit, letter] of scales) if (Math.abs(n) >= unit) return `${significant(n / unit)} ${letter}`;
  return `${n}`;
}

/** 1.23 MB (powers of ten, as file managers and disks count). */
export function formatBytes(n: number): string {
  return n < 1e3 ? `${n} B` : `${formatCount(n)}B`;
}

export function formatMs(ms: number): string {
  if (ms >= 1e4) return `${significant(ms / 1e3)} s`;
  return ms >= 100 ? `${ms.toFixed(0)} ms` : ms >= 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(2)} ms`;
}

/** 47 s, 3 min 05 s, 1 h 02 min. */
export function formatSeconds(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const two = (n: number) => `${n}`.padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** −42.8 %, the change from `before` to `after`; "–" where it has none. */
export function formatChange(before: number, after: number): string {
  if (!(before > 0)) return "–";
  const percent = (after / before - 1) * 100;
  const sign = percent < 0 ? "−" : "+";
  return Math.abs(percent) < 0.05 ? "±0 %" : `${sign}${Math.abs(percent).toFixed(1)} %`;
}

/** 42.8 %, of a share of 1. */
export const formatShare = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** −0.42: so many digits, without a minus where they are 0. */
export const formatSigned = (n: number, digits = 2): string =>
  n
    .toFixed(digits)
    .replace(/^-(?!0\.0*$)/, "−")
    .replace(/^-/, "");

function significant(n: number): string {
  const size = Math.abs(n);
  return size >= 100 ? n.toFixed(0) : size >= 10 ? n.toFixed(1) : n.toFixed(2);
}

/** A figure for people; sizes that the file leaves open stay symbols. */
export const formatDim = (d: Dim | undefined, format: (n: number) => string): string =>
  d === undefined ? "?" : typeof d === "number" ? format(d) : formatSize(d);
