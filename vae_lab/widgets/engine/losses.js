// The two terms of the negative ELBO, in nats per example, each with its derivative.

const LOG_2PI = Math.log(2 * Math.PI);

// Distortion: -log N(x; xHat, sigma^2 I) for each example, and its derivative by xHat.
function gaussianDistortion(xHat, x, batch, sigma) {
  const n = x.length / batch, values = new Float64Array(batch), byXHat = new Float64Array(x.length);
  const precision = 1 / (sigma * sigma), constant = n * (Math.log(sigma) + 0.5 * LOG_2PI);
  for (let r = 0; r < batch; r++) {
    let squares = 0;
    for (let i = r * n; i < (r + 1) * n; i++) {
      const off = xHat[i] - x[i];
      squares += off * off;
      byXHat[i] = off * precision;
    }
    values[r] = 0.5 * squares * precision + constant;
  }
  return { values, byXHat };
}

// Rate: KL(N(mu, sigma^2) || N(0, 1)), summed over the latent dimensions, and its derivatives by mu and logvar.
// sigma^2 - 1 is expm1(logvar), which keeps its digits near 0. `byDimension` is the mean over the batch, one for each.
function gaussianRate(mu, logvar, batch) {
  const d = mu.length / batch, values = new Float64Array(batch), byDimension = new Float64Array(d);
  const byLogvar = new Float64Array(mu.length);
  for (let i = 0; i < mu.length; i++) {
    const less = Math.expm1(logvar[i]), nats = 0.5 * (mu[i] * mu[i] + less - logvar[i]);
    values[Math.floor(i / d)] += nats;
    byDimension[i % d] += nats / batch;
    byLogvar[i] = 0.5 * less;
  }
  return { values, byMu: mu, byLogvar, byDimension };
}
