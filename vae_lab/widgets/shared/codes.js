// Where the images of each digit lie in a latent plane: a dot for each, and the digit written at the middle of its dots.

const DIGIT_HUES = ["#4477aa", "#ee6677", "#228833", "#b59a1b", "#3a9fbf", "#aa3377", "#7a7a7a", "#e07b39", "#8855cc", "#5a8f00"];

// Push labels apart until no two are closer than `gap` pixels.
function apart(places, gap) {
  for (let round = 0; round < 60; round++) for (const a of places) for (const b of places) {
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]], d = Math.hypot(dx, dy);
    if (a === b || d >= gap) continue;
    const push = (gap - d) / 2 / (d || 1);
    a[0] -= push * dx; a[1] -= push * dy; b[0] += push * dx; b[1] += push * dy;
  }
  return places;
}

// `points` are pairs of numbers, `labels` their digits, or none; what lies beyond `limit` has no dot.
function codesOfDigits(points, labels, limit, x, y, size) {
  const dots = DIGIT_HUES.map(() => ""), middle = DIGIT_HUES.map(() => [[], []]);
  points.forEach(([a, b], i) => {
    const digit = labels[i] ?? 0;
    if (Math.abs(a) < limit && Math.abs(b) < limit) dots[digit] += `M${x(a).toFixed(1)} ${y(b).toFixed(1)}h0`;
    middle[digit][0].push(a);
    middle[digit][1].push(b);
  });
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const present = DIGIT_HUES.map((_, digit) => digit).filter((digit) => labels.length && middle[digit][0].length);
  const places = apart(present.map((digit) => { const [a, b] = middle[digit]; return [x(median(a)), y(median(b)) + 5]; }), 17);
  return [...dots.map((d, digit) => svg("path", { d, stroke: DIGIT_HUES[digit], "stroke-width": size, "stroke-linecap": "round", fill: "none" })),
    ...places.map(([a, b], k) => svg("text", { x: a, y: b, "text-anchor": "middle", class: "vl-digit" }, String(present[k])))];
}
