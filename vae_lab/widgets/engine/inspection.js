// One example on its way through the graph and back: every number that the picture shows.

const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

// The example's noise is its own, fixed by the run's seed and the number of steps made: looking changes nothing.
function inspect(run, index) {
  const { vae, data, now, state } = run, from = index * data.inputs;
  const x = data.values.subarray(from, from + data.inputs);
  const eps = normals(run.latent, seeded(1_000_003 * (run.seed + 1) + state.steps)).map((v) => v);
  const baseline = [Number.isNaN(state.distortion) ? 0 : state.distortion];
  const seen = vae.gradients(x, eps, 1, now, baseline);
  const theta = gradientNorm(vae.decoder.parameters), phi = gradientNorm(vae.encoder.parameters);
  vae.intoEncoder(seen.data.byMu, seen.data.byLogvar, 1);
  const phiFromData = gradientNorm(vae.encoder.parameters);
  vae.intoEncoder(seen.price.byMu, seen.price.byLogvar, 1);
  const phiFromRate = gradientNorm(vae.encoder.parameters);
  const distortion = seen.distortion.values[0], rate = seen.rate.values[0];
  return { ...seen, x, distortion, rate, loss: distortion + now.beta * rate, byXHat: seen.distortion.byXHat, theta, phi, phiFromData, phiFromRate };
}

// All examples at once, without noise: where the encoder puts them, what the code costs in each dimension, and how many
// dimensions cost more than IDLE nats: those that say something about the example.
const IDLE = 0.05;

function survey(run) {
  const numbers = () => new Float64Array(run.data.count * run.latent);
  return surveyAgain(run, { mu: numbers(), logvar: numbers(), sigma: numbers(), next: 0 }, run.data.count);
}

// The next `count` examples of a survey once more: in a run that goes on, the others are where they were some frames ago.
function surveyAgain({ vae, data, latent }, all, count) {
  const from = all.next, to = Math.min(from + count, data.count);
  const seen = vae.encode(data.values.subarray(from * data.inputs, to * data.inputs), to - from);
  for (const name of ["mu", "logvar", "sigma"]) all[name].set(seen[name], from * latent);
  all.next = to % data.count;
  all.rate = gaussianRate(all.mu, all.logvar, data.count).byDimension;
  all.active = all.rate.filter((nats) => nats > IDLE).length;
  return all;
}
