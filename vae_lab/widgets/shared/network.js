// A multilayer perceptron with ReLU between its layers, run in the browser on weights that came with the page.

// base64 of little-endian float16 -> Float32Array
function halfFloats(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const out = new Float32Array(bytes.length / 2);
  for (let i = 0; i < out.length; i++) {
    const h = view.getUint16(2 * i, true);
    const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction ? NaN : sign * Infinity;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

// `sizes` [n0, n1, ...]; `weights` holds W1 [n1, n0] row by row, b1 [n1], W2, b2, ... Returns x -> the last layer's
// values, before any squashing, in an array that the next call uses again.
function network(sizes, weights) {
  const layers = [];
  let at = 0;
  for (let k = 1; k < sizes.length; k++) {
    const n = sizes[k - 1], m = sizes[k];
    layers.push({ n, m, W: weights.subarray(at, at + n * m), b: weights.subarray(at + n * m, at + n * m + m), y: new Float32Array(m) });
    at += n * m + m;
  }
  if (at !== weights.length) throw new Error(`network: ${weights.length} weights for sizes ${sizes}; wanted ${at}.`);
  return (x) => {
    layers.forEach(({ n, m, W, b, y }, k) => {
      for (let j = 0, w = 0; j < m; j++) {
        let sum = b[j];
        for (let i = 0; i < n; i++) sum += W[w++] * x[i];
        y[j] = k + 1 < layers.length && sum < 0 ? 0 : sum;
      }
      x = y;
    });
    return x;
  };
}

const sigmoid = (t) => 1 / (1 + Math.exp(-t));

// Put values in [0, 1] on a canvas of as many pixels: black ink on nothing.
function ink(canvas, values) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < values.length; i++) image.data[4 * i + 3] = Math.round(255 * values[i]);
  context.putImageData(image, 0, 0);
}
