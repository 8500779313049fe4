// A multilayer perceptron that learns: linear layers with tanh between them, forwards, and backwards by hand.
// A batch is one Float64Array, row after row: [B, n].

// A place for numbers that is used again and again, and grows: no step leaves arrays behind for the browser to clear away.
function scratch() {
  let kept = new Float64Array(0);
  return (count) => {
    if (kept.length < count) kept = new Float64Array(count);
    return kept.length === count ? kept : kept.subarray(0, count);
  };
}

// y = W x + b, with W [m, n] row by row. Starts as torch.nn.Linear does: uniform within 1 / sqrt(n). Four examples go
// through together: each weight is fetched once for the four, and no sum waits for the one before it. `last`: y is the
// caller's to keep; otherwise the next call writes over it, as it does over dL/dx.
function linearLayer(n, m, random, last = true) {
  const bound = 1 / Math.sqrt(n), start = (count) => Float64Array.from({ length: count }, () => (2 * random() - 1) * bound);
  const weight = { value: start(m * n), gradient: new Float64Array(m * n) };
  const bias = { value: start(m), gradient: new Float64Array(m) };
  const output = last ? (count) => new Float64Array(count) : scratch(), asideOfInput = scratch();
  let input;
  const forward = (x, batch) => {
    const W = weight.value, b = bias.value, y = output(batch * m), fours = batch - (batch % 4);
    input = x;
    for (let r = 0; r < fours; r += 4) {
      for (let j = 0; j < m; j++) {
        let s0 = b[j], s1 = s0, s2 = s0, s3 = s0;
        for (let i = 0, w = j * n, at = r * n; i < n; i++, w++, at++) {
          const weighed = W[w];
          s0 += weighed * x[at]; s1 += weighed * x[at + n]; s2 += weighed * x[at + 2 * n]; s3 += weighed * x[at + 3 * n];
        }
        const to = r * m + j;
        y[to] = s0; y[to + m] = s1; y[to + 2 * m] = s2; y[to + 3 * m] = s3;
      }
    }
    for (let r = fours; r < batch; r++) {
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
    const W = weight.value, dW = weight.gradient.fill(0), db = bias.gradient.fill(0), fours = batch - (batch % 4);
    for (let r = 0; r < batch; r++) for (let j = 0; j < m; j++) db[j] += dy[r * m + j];
    for (let r = 0; r < fours; r += 4) {
      for (let j = 0; j < m; j++) {
        const from = r * m + j, d0 = dy[from], d1 = dy[from + m], d2 = dy[from + 2 * m], d3 = dy[from + 3 * m];
        for (let i = 0, w = j * n, at = r * n; i < n; i++, w++, at++) {
          dW[w] += d0 * input[at] + d1 * input[at + n] + d2 * input[at + 2 * n] + d3 * input[at + 3 * n];
        }
      }
    }
    for (let r = fours; r < batch; r++) {
      for (let j = 0; j < m; j++) {
        const d = dy[r * m + j];
        for (let i = 0, w = j * n, at = r * n; i < n; i++) dW[w++] += d * input[at++];
      }
    }
    if (!asked) return null;
    const dx = asideOfInput(batch * n).fill(0);
    for (let r = 0; r < batch; r++) {
      for (let j = 0; j < m; j++) {
        const d = dy[r * m + j];
        for (let i = 0, w = j * n, at = r * n; i < n; i++) dx[at++] += d * W[w++];
      }
    }
    return dx;
  };
  return { forward, backward, parameters: [weight, bias] };
}

// tanh in place of what came in, and its derivative in place of the gradient: neither is needed by anybody else.
function tanhLayer() {
  let output;
  return {
    forward: (x) => {
      for (let i = 0; i < x.length; i++) x[i] = 1 - 2 / (Math.exp(2 * x[i]) + 1);
      return (output = x);
    },
    backward: (dy) => {
      for (let i = 0; i < dy.length; i++) dy[i] *= 1 - output[i] * output[i];
      return dy;
    },
    parameters: [],
  };
}

// `sizes` [n0, n1, ...]: linear, tanh, linear, ..., linear. `backward` returns dL/dx if it is asked for.
function perceptron(sizes, random) {
  const layers = [];
  for (let k = 1; k < sizes.length; k++) {
    if (k > 1) layers.push(tanhLayer());
    layers.push(linearLayer(sizes[k - 1], sizes[k], random, k === sizes.length - 1));
  }
  return {
    parameters: layers.flatMap((layer) => layer.parameters),
    forward: (x, batch) => layers.reduce((value, layer) => layer.forward(value, batch), x),
    backward: (dy, batch, asked = true) => layers.reduceRight((d, layer, k) => layer.backward(d, batch, asked || k > 0), dy),
  };
}

// The length of the gradient of all parameters together.
function gradientNorm(parameters) {
  let sum = 0;
  for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
  return Math.sqrt(sum);
}
