// A small VAE: x -> (mu, logvar) -> z = mu + exp(logvar / 2) * eps -> xHat, p(x|z) = N(xHat, sigma_x^2 I).
// The loss is the mean over a batch of distortion + beta * rate, in nats per example.

function smallVae({ inputs, hidden, latent }, random) {
  const encoder = perceptron([inputs, ...hidden, 2 * latent], random);
  const decoder = perceptron([latent, ...[...hidden].reverse(), inputs], random);

  const encode = (x, batch) => {
    const out = encoder.forward(x, batch), mu = new Float64Array(batch * latent), logvar = new Float64Array(batch * latent);
    for (let r = 0; r < batch; r++) for (let d = 0; d < latent; d++) {
      mu[r * latent + d] = out[2 * r * latent + d];
      logvar[r * latent + d] = out[(2 * r + 1) * latent + d];
    }
    return { mu, logvar, sigma: logvar.map((v) => Math.exp(0.5 * v)) };
  };
  const decode = (z, batch) => decoder.forward(z, batch);

  // dL/dmu and dL/dlogvar through the encoder; each is divided by the batch here, where the mean is taken.
  const intoEncoder = (byMu, byLogvar, batch) => {
    const d = new Float64Array(2 * byMu.length);
    for (let r = 0; r < batch; r++) for (let k = 0; k < latent; k++) {
      d[2 * r * latent + k] = byMu[r * latent + k] / batch;
      d[(2 * r + 1) * latent + k] = byLogvar[r * latent + k] / batch;
    }
    encoder.backward(d, batch, false);
  };

  // One pass forwards and backwards. Leaves the gradients with the parameters, and returns all that it met on the way.
  const gradients = (x, eps, batch, { beta, decoderSigma, estimator }, baseline) => {
    const { mu, logvar, sigma } = encode(x, batch);
    const z = mu.map((m, i) => m + sigma[i] * eps[i]);
    const xHat = decode(z, batch);
    const distortion = gaussianDistortion(xHat, x, batch, decoderSigma), rate = gaussianRate(mu, logvar, batch);
    const byZ = decoder.backward(distortion.byXHat.map((d) => d / batch), batch).map((d) => d * batch);
    const data = ESTIMATORS[estimator]({ byZ, sigma, eps, distortion: distortion.values, baseline: baseline ?? othersMean(distortion.values) });
    const price = { byMu: rate.byMu.map((d) => beta * d), byLogvar: rate.byLogvar.map((d) => beta * d) };
    intoEncoder(data.byMu.map((d, i) => d + price.byMu[i]), data.byLogvar.map((d, i) => d + price.byLogvar[i]), batch);
    return { mu, logvar, sigma, eps, z, xHat, distortion, rate, byZ, data, price };
  };
  return { inputs, latent, encode, decode, gradients, intoEncoder, encoder, decoder, parameters: [...encoder.parameters, ...decoder.parameters] };
}
