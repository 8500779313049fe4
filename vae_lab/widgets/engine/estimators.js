// Three ways to bring the distortion's gradient to mu and logvar, through z = mu + sigma * eps or past it.
// Each gets everything a step knows and answers with dD/dmu and dD/dlogvar, both [B, D], one sample each.

// The trick, `rsample()`: z is a function of mu and sigma, so dz/dmu = 1 and dz/dlogvar = sigma * eps / 2.
function pathwiseGradient({ byZ, sigma, eps }) {
  return { byMu: byZ, byLogvar: byZ.map((d, i) => 0.5 * d * sigma[i] * eps[i]) };
}

// `sample()`: z fell from a die, which has no derivative. Nothing arrives.
function cutGradient({ byZ }) {
  return { byMu: new Float64Array(byZ.length), byLogvar: new Float64Array(byZ.length) };
}

// The score function: (D - baseline) * d log q(z) / d(mu, logvar), with d log q / dmu = eps / sigma and
// d log q / dlogvar = (eps^2 - 1) / 2. It needs the distortion's value and not its derivative.
function scoreGradient({ distortion, baseline, sigma, eps }) {
  const d = eps.length / distortion.length;
  const weight = (i) => distortion[Math.floor(i / d)] - baseline[Math.floor(i / d)];
  return { byMu: eps.map((e, i) => (weight(i) * e) / sigma[i]), byLogvar: eps.map((e, i) => 0.5 * weight(i) * (e * e - 1)) };
}

// The score function's baseline: for each example the mean distortion of the others in its batch, which keeps it unbiased.
function othersMean(values) {
  const total = values.reduce((a, b) => a + b, 0);
  return values.length === 1 ? new Float64Array(1) : values.map((v) => (total - v) / (values.length - 1));
}

const ESTIMATORS = { pathwise: pathwiseGradient, cut: cutGradient, score: scoreGradient };
