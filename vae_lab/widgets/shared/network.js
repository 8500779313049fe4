// A multilayer perceptron with ReLU between its layers, run in the browser on weights that came with the page.

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// base64 of little-endian float16 -> Float32Array
function halfFloats(base64) {
  const bytes = bytesOf(base64);
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

// `sizes` [n0, n1, ...]; `weights` holds int8 W1 [n1, n0] row by row, W2, ...; `scales` holds float16 s1 [n1], b1 [n1], s2,
// b2, ... A layer is y = s * (W x) + b. Returns x -> the last layer's values, before any squashing, in an array that the
// next call uses again.
function network({ sizes, weights, scales }) {
  const W = new Int8Array(bytesOf(weights).buffer), rest = halfFloats(scales), layers = [];
  let w = 0, r = 0;
  for (let k = 1; k < sizes.length; k++) {
    const n = sizes[k - 1], m = sizes[k];
    layers.push({ n, m, W: W.subarray(w, w + n * m), s: rest.subarray(r, r + m), b: rest.subarray(r + m, r + 2 * m), y: new Float32Array(m) });
    w += n * m;
    r += 2 * m;
  }
  if (w !== W.length || r !== rest.length) throw new Error(`network: ${W.length} weights and ${rest.length} scales for sizes ${sizes}; wanted ${w} and ${r}.`);
  return (x) => {
    layers.forEach((layer, k) => {
      const { n, m, s, b, y } = layer;
      for (let j = 0, at = 0; j < m; j++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += layer.W[at++] * x[i];
        const value = s[j] * sum + b[j];
        y[j] = k + 1 < layers.length && value < 0 ? 0 : value;
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
