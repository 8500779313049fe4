// A multilayer perceptron that learns: linear layers with tanh between them, forwards, and backwards by hand.
// A batch is one Float64Array, row after row: [B, n].

// y = W x + b, with W [m, n] row by row. Starts as torch.nn.Linear does: uniform within 1 / sqrt(n).
function linearLayer(n, m, random) {
  const bound = 1 / Math.sqrt(n), start = (count) => Float64Array.from({ length: count }, () => (2 * random() - 1) * bound);
  const weight = { value: start(m * n), gradient: new Float64Array(m * n) };
  const bias = { value: start(m), gradient: new Float64Array(m) };
  let input;
  const forward = (x, batch) => {
    const W = weight.value, b = bias.value, y = new Float64Array(batch * m);
    input = x;
    for (let r = 0; r < batch; r++) {
      for (let j = 0; j < m; j++) {
        let sum = b[j];
        for (let i = 0, w = j * n, at = r * n; i < n; i++) sum += W[w++] * x[at++];
        y[r * m + j] = sum;
      }
    }
    return y;
  };
  // dL/dy -> dL/dx; leaves dL/dW and dL/db behind. The examples' own gradient, dL/dx of the first layer, nobody asks for.
  const backward = (dy, batch, asked = true) => {
    const W = weight.value, dW = weight.gradient.fill(0), db = bias.gradient.fill(0), dx = new Float64Array(asked ? batch * n : 0);
    for (let r = 0; r < batch; r++) {
      for (let j = 0; j < m; j++) {
        const d = dy[r * m + j];
        db[j] += d;
        for (let i = 0, w = j * n, at = r * n; i < n; i++) dW[w++] += d * input[at++];
        if (asked) for (let i = 0, w = j * n, at = r * n; i < n; i++) dx[at++] += d * W[w++];
      }
    }
    return dx;
  };
  return { forward, backward, parameters: [weight, bias] };
}

function tanhLayer() {
  let output;
  return {
    forward: (x) => (output = x.map(Math.tanh)),
    backward: (dy) => dy.map((d, i) => d * (1 - output[i] * output[i])),
    parameters: [],
  };
}

// `sizes` [n0, n1, ...]: linear, tanh, linear, ..., linear. `backward` returns dL/dx if it is asked for.
function perceptron(sizes, random) {
  const layers = [];
  for (let k = 1; k < sizes.length; k++) {
    if (k > 1) layers.push(tanhLayer());
    layers.push(linearLayer(sizes[k - 1], sizes[k], random));
  }
  return {
    parameters: layers.flatMap((layer) => layer.parameters),
    forward: (x, batch) => layers.reduce((value, layer) => layer.forward(value, batch), x),
    backward: (dy, batch, asked = true) => layers.reduceRight((d, layer, k) => layer.backward(d, batch, asked || k > 0), dy),
  };
}

// The length of the gradient of all parameters together.
const gradientNorm = (parameters) => Math.sqrt(parameters.reduce((sum, p) => p.gradient.reduce((s, g) => s + g * g, sum), 0));
