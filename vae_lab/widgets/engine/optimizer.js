// Adam, step for step as torch.optim.Adam makes it (Kingma & Ba 2015).

function adam(parameters, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}) {
  const memory = parameters.map(({ value }) => ({ first: new Float64Array(value.length), second: new Float64Array(value.length) }));
  let steps = 0;
  return (learningRate) => {
    steps += 1;
    const size = learningRate / (1 - beta1 ** steps), root = Math.sqrt(1 - beta2 ** steps);
    parameters.forEach(({ value, gradient }, k) => {
      const { first, second } = memory[k];
      for (let i = 0; i < value.length; i++) {
        const g = gradient[i];
        first[i] = beta1 * first[i] + (1 - beta1) * g;
        second[i] = beta2 * second[i] + (1 - beta2) * g * g;
        value[i] -= (size * first[i]) / (Math.sqrt(second[i]) / root + epsilon);
      }
    });
  };
}
