// A run of training: batches in an order and noise that the seed fixes, and a record of every setting that was changed.

const BATCH = 32;

// `data` is {values [N * inputs], count, inputs}; `settings` holds beta, decoderSigma, learningRate and estimator.
function trainer(data, { hidden, latent, seed, settings }) {
  const vae = smallVae({ inputs: data.inputs, hidden, latent }, seeded(seed));
  const update = adam(vae.parameters), random = seeded(seed + 1), next = shuffler(data.count, random);
  const batch = Math.min(BATCH, data.count), x = new Float64Array(batch * data.inputs);
  const state = { steps: 0, distortion: NaN, rate: NaN, finite: true }, now = { ...settings }, changes = [];

  // One step of Adam on one batch; does nothing once a number has run away.
  const step = () => {
    if (!state.finite) return state;
    for (let r = 0; r < batch; r++) {
      const from = next() * data.inputs;
      x.set(data.values.subarray(from, from + data.inputs), r * data.inputs);
    }
    const seen = vae.gradients(x, normals(batch * latent, random), batch, now);
    const mean = (values) => values.reduce((a, b) => a + b, 0) / batch;
    state.distortion = mean(seen.distortion.values);
    state.rate = mean(seen.rate.values);
    state.finite = Number.isFinite(state.distortion + state.rate);
    if (state.finite) update(now.learningRate);
    state.steps += 1;
    return state;
  };
  // From the next step on a setting has another value.
  const change = (name, value) => {
    if (now[name] === value) return;
    now[name] = value;
    if (changes.length && changes.at(-1).step === state.steps && changes.at(-1).name === name) changes.at(-1).value = value;
    else changes.push({ step: state.steps, name, value });
  };
  return { vae, data, state, now, started: { ...settings }, changes, latent, seed, step, change };
}
