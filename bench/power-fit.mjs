/**
 * y = factor · xᵖ by least squares on the logarithms, with the standard error of p (n − 2 degrees of freedom): how far the
 * points are from a power law, and not only how much they were disturbed.
 */
export function powerFit(xs, ys) {
  const n = xs.length;
  const [u, v] = [xs.map(Math.log), ys.map(Math.log)];
  const mean = (a) => a.reduce((sum, x) => sum + x, 0) / n;
  const [mu, mv] = [mean(u), mean(v)];
  const spread = u.reduce((sum, x) => sum + (x - mu) ** 2, 0);
  const exponent = u.reduce((sum, x, i) => sum + (x - mu) * (v[i] - mv), 0) / spread;
  const rest = v.reduce((sum, y, i) => sum + (y - mv - exponent * (u[i] - mu)) ** 2, 0);
  const standardError = n > 2 ? Math.sqrt(rest / (n - 2) / spread) : undefined;
  return { exponent, standardError, factor: Math.exp(mv - exponent * mu) };
}
