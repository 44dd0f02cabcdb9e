// As modules, ml-matrix's files import each other without endings, which a browser does not resolve; its script for old pages runs as is.
import "./node_modules/ml-matrix/matrix.umd.js";

export const { EigenvalueDecomposition, Matrix } = globalThis.mlMatrix;
