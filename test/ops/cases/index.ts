import { convolutionCases } from "./convolution.js";
import { elementwiseCases } from "./elementwise.js";
import { linearCases } from "./linear.js";
import { normalizationCases } from "./normalization.js";
import { poolingCases } from "./pooling.js";
import { reductionCases } from "./reduction.js";
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
  ...elementwiseCases,
];
