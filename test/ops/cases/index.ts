import { controlCases } from "./control.js";
import { convolutionCases } from "./convolution.js";
import { detectionCases } from "./detection.js";
import { elementwiseCases } from "./elementwise.js";
import { gatheringCases } from "./gathering.js";
import { linearCases } from "./linear.js";
import { lossCases } from "./loss.js";
import { normalizationCases } from "./normalization.js";
import { poolingCases } from "./pooling.js";
import { quantisedCases } from "./quantised.js";
import { rankingCases } from "./ranking.js";
import { reductionCases } from "./reduction.js";
import { resizeCases } from "./resize.js";
import { selectionCases } from "./selection.js";
import { shapeCases } from "./shape.js";

export const cases = [
  ...convolutionCases,
  ...linearCases,
  ...normalizationCases,
  ...poolingCases,
  ...reductionCases,
  ...selectionCases,
  ...shapeCases,
  ...gatheringCases,
  ...rankingCases,
  ...detectionCases,
  ...quantisedCases,
  ...lossCases,
  ...controlCases,
  ...resizeCases,
  ...elementwiseCases,
];
