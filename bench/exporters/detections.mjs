// What a detector found, against what it should: lists of boxes, of which the order and the last few hang on rounding.

const SCORE = 1e-3;
/** Pixels. */
const BOX = 0.05;

/**
 * How many of PyTorch's detections ours has: the same label, a score within 1e-3 of it and corners within 0.05 pixels, each used once.
 * Two boxes of nearly one score change places, and overlaps near the threshold or scores near the cut decide differently.
 */
export function matched(got, want) {
  const [boxes, scores, labels] = got.map((t) => t.numbers());
  const [wantBoxes, wantScores, wantLabels] = want.map((t) => t.numbers());
  const used = new Set();
  for (let i = 0; i < wantScores.length; i++) {
    for (let j = 0; j < scores.length; j++) {
      if (used.has(j) || labels[j] !== wantLabels[i]) continue;
      if (Math.abs(scores[j] - wantScores[i]) > SCORE * wantScores[i]) continue;
      const off = [0, 1, 2, 3].map((k) => Math.abs(boxes[4 * j + k] - wantBoxes[4 * i + k]));
      if (!(Math.max(...off) <= BOX)) continue;
      used.add(j);
      break;
    }
  }
  return used.size;
}
