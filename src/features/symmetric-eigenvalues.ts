/**
 * Eigenvalues of a symmetric matrix and nothing else: Householder's reduction to a tridiagonal matrix, then QL with implicit
 * shifts (Martin, Reinsch, Wilkinson 1968; EISPACK's tred1 and imtql1), (2/3)n³ multiply-adds. Libraries that we know make the
 * vectors, too, which is ten times the work (docs/features.md has the figures).
 *
 * `a` is (n, n) by rows; only what lies on and below the diagonal is read, and it is overwritten.
 */
export function symmetricEigenvalues(a: Float64Array, n: number): Float64Array {
  const scale = largest(a, n);
  if (n === 0 || scale === 0) return new Float64Array(n);
  // Squares of what is very large or small stay within a double.
  for (let k = 0; k < n * n; k++) a[k]! /= scale;
  const { diagonal, beside } = tridiagonal(a, n);
  implicitQl(diagonal, beside);
  return diagonal.map((v) => v * scale);
}

function largest(a: Float64Array, n: number): number {
  let most = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) most = Math.max(most, Math.abs(a[i * n + j]!));
  return most;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `beside[k]` couples k − 1 and k; `beside[0]` is 0. */
  readonly beside: Float64Array;
}

/**
 * From the last row up: a reflection I − uuᵀ/h takes row k to its last element, and what is left, A, to
 * A − quᵀ − uqᵀ with p = Au/h, q = p − (uᵀp/2h)u. Both walk along rows, as they lie in memory.
 */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const u = new Float64Array(n);
  const q = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    const row = k * n;
    diagonal[k] = a[row + k]!;
    let tail = 0;
    for (let j = 0; j < k - 1; j++) tail += a[row + j]! ** 2;
    const last = a[row + k - 1]!;
    beside[k] = last;
    if (tail === 0) continue;
    const norm = Math.sqrt(tail + last * last) * (last > 0 ? -1 : 1);
    beside[k] = norm;
    for (let j = 0; j < k; j++) u[j] = a[row + j]!;
    u[k - 1]! -= norm;
    const h = norm * norm - last * norm;

    q.fill(0, 0, k);
    for (let i = 0; i < k; i++) {
      const [from, ui] = [i * n, u[i]!];
      let sum = 0;
      for (let j = 0; j < i; j++) {
        const v = a[from + j]!;
        sum += v * u[j]!;
        q[j]! += v * ui;
      }
      q[i]! += sum + a[from + i]! * ui;
    }
    let inner = 0;
    for (let j = 0; j < k; j++) {
      q[j]! /= h;
      inner += u[j]! * q[j]!;
    }
    inner /= 2 * h;
    for (let j = 0; j < k; j++) q[j]! -= inner * u[j]!;
    for (let i = 0; i < k; i++) {
      const [from, ui, qi] = [i * n, u[i]!, q[i]!];
      for (let j = 0; j <= i; j++) a[from + j]! -= qi * u[j]! + ui * q[j]!;
    }
  }
  diagonal[0] = a[0]!;
  return { diagonal, beside };
}

/** The eigenvalues take the diagonal's place, in no particular order. */
function implicitQl(d: Float64Array, beside: Float64Array): void {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(beside.subarray(1));
  for (let l = 0; l < n; l++) {
    // Converges in one or two rounds each; what is not finite would never, and is refused before.
    for (let round = 0; round < 60; round++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g < 0 ? -r : r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          // Fell apart in two: both halves go on by themselves.
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
