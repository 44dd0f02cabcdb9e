import { float } from "../../../src/graph/ir.js";
import { type OperatorCase, uniform } from "../operator-case.js";

const matmul = (name: string, a: readonly number[], b: readonly number[]): OperatorCase => ({
  op: "MatMul",
  name,
  inputs: [uniform(a), uniform(b)],
});

const gemm = (
  name: string,
  inputs: readonly (readonly number[])[],
  attributes: OperatorCase["attributes"] = {},
) => ({
  op: "Gemm",
  name,
  inputs: inputs.map((d) => uniform(d)),
  attributes,
});

export const linearCases: readonly OperatorCase[] = [
  matmul("matrices", [3, 4], [4, 5]),
  matmul("batches", [2, 3, 4], [2, 4, 5]),
  matmul("batches that broadcast", [2, 1, 3, 4], [5, 4, 2]),
  matmul("one matrix for a batch", [2, 3, 4], [4, 5]),
  matmul("one matrix for two batch axes", [2, 2, 3, 4], [4, 5]),
  matmul("matrix before a batch", [3, 4], [2, 4, 5]),
  matmul("vector and matrix", [4], [4, 5]),
  matmul("matrix and vector", [3, 4], [4]),
  matmul("vectors", [4], [4]),
  matmul("batch and vector", [2, 3, 4], [4]),
  matmul("vector and batch", [4], [2, 4, 3]),
  gemm("plain", [
    [3, 4],
    [4, 5],
  ]),
  gemm("bias over rows", [[3, 4], [4, 5], [5]]),
  gemm("bias over columns", [
    [3, 4],
    [4, 5],
    [3, 1],
  ]),
  gemm("scalar bias, scaled", [[3, 4], [4, 5], []], { alpha: float(0.5), beta: float(2) }),
  gemm("transB", [[3, 4], [5, 4], [5]], { transB: 1 }),
  gemm(
    "transA",
    [
      [4, 3],
      [4, 5],
      [3, 5],
    ],
    { transA: 1 },
  ),
  gemm(
    "both transposed, scaled",
    [
      [4, 3],
      [5, 4],
      [1, 5],
    ],
    {
      transA: 1,
      transB: 1,
      alpha: float(1.5),
      beta: float(0.25),
    },
  ),
  ...(
    [
      ["ij,jk->ik", [3, 4], [4, 2]],
      ["bij,bjk", [2, 3, 4], [2, 4, 2]],
      ["...ij,...jk->...ik", [2, 5, 3, 4], [2, 5, 4, 2]],
      ["bhwc,hkc->bhwk", [2, 3, 2, 4], [3, 5, 4]],
      ["i,j->ij", [3], [4]],
      ["ij,kl->ik", [3, 2], [4, 2]],
    ] as const
  ).map(
    ([equation, a, b]): OperatorCase => ({
      op: "Einsum",
      name: equation,
      inputs: [uniform(a), uniform(b)],
      attributes: { equation },
    }),
  ),
  { op: "Einsum", name: "one operand", inputs: [uniform([2, 3, 4])], attributes: { equation: "abc->ca" } },
  { op: "Einsum", name: "a diagonal", inputs: [uniform([3, 3])], attributes: { equation: "ii->i" }, wrt: [] },
  {
    op: "Einsum",
    name: "three operands",
    inputs: [uniform([2, 3]), uniform([3, 4]), uniform([4, 2])],
    attributes: { equation: "ab,bc,cd->ad" },
  },
];
