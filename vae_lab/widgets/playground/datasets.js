// What the VAE is trained on: clouds of points in the plane, points that the reader draws, or digits of 8 x 8 pixels.

const POINTS = 256, REACH = 2.5; // the plane shows -REACH to REACH
const turn = (i) => (2 * Math.PI * i) / POINTS;
const SHAPES = {
  ring: (i, random) => [1.6 * Math.cos(turn(i)), 1.6 * Math.sin(turn(i)), 0.07],
  moons: (i, random) => {
    const upper = i % 2 === 0, angle = Math.PI * random();
    return upper ? [1.2 * Math.cos(angle) - 0.6, 1.2 * Math.sin(angle) - 0.3, 0.09] : [1.2 * Math.cos(angle) + 0.6, 0.3 - 1.2 * Math.sin(angle), 0.09];
  },
  clouds: (i) => [1.5 * Math.cos(2.1 * (i % 3) + 0.5), 1.5 * Math.sin(2.1 * (i % 3) + 0.5), 0.22],
  line: (i) => [((i / POINTS) * 2 - 1) * 1.9, ((i / POINTS) * 2 - 1) * 1.1, 0.1],
};

// {values, count, inputs, hues}: a hue in [0, 1) and the examples that have it, the same in every plane.
function cloud(name) {
  const random = seeded(7), noise = normals(2 * POINTS, random), values = new Float64Array(2 * POINTS);
  for (let i = 0; i < POINTS; i++) {
    const [x, y, spread] = SHAPES[name](i, random);
    values[2 * i] = x + spread * noise[2 * i];
    values[2 * i + 1] = y + spread * noise[2 * i + 1];
  }
  return { values, count: POINTS, inputs: 2, hues: huesOf(values) };
}

function drawnPoints(points) {
  const values = Float64Array.from(points.flat());
  return { values, count: points.length, inputs: 2, hues: huesOf(values) };
}

// [[hue, examples], ...]: what has one colour is drawn at once.
function byHue(hues) {
  const found = new Map();
  hues.forEach((hue, i) => { if (found.has(hue)) found.get(hue).push(i); else found.set(hue, [i]); });
  return [...found];
}
// By its direction from the middle, in 36 steps.
const huesOf = (values) => byHue(Array.from({ length: values.length / 2 }, (_, i) => (Math.round((Math.atan2(values[2 * i + 1], values[2 * i]) / (2 * Math.PI) + 1) * 36) % 36) / 36));

// Two pixels a byte, 16 greys; labels as text.
function digitImages({ pixels, labels }) {
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0)), values = new Float64Array(2 * bytes.length);
  bytes.forEach((byte, i) => { values[2 * i] = (byte >> 4) / 15; values[2 * i + 1] = (byte & 15) / 15; });
  return { values, count: labels.length, inputs: 64, hues: byHue(Array.from(labels, (label) => label / 10)), labels };
}

// Points are kept to 8 bits a coordinate, so that a link restores exactly what was drawn.
const onGrid = (value) => (Math.round(((clamp(value, -REACH, REACH) + REACH) / (2 * REACH)) * 255) / 255) * 2 * REACH - REACH;
