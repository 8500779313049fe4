// The graph of one example: values in its nodes, and beside its edges arrows for the gradient that comes back.

// Where each node stands: a share of the width, and pixels from the top. A phone gets a tall picture.
const GRAPH_WIDE = {
  height: 340, box: [84, 50], at: {
    x: [0.064, 180], phi: [0.234, 180], mu: [0.404, 108], sigma: [0.404, 254], eps: [0.575, 306], z: [0.575, 180],
    theta: [0.745, 180], xHat: [0.915, 180], distortion: [0.915, 40], loss: [0.745, 40], rate: [0.575, 40],
  },
};
const GRAPH_TALL = {
  height: 640, box: [84, 48], at: {
    x: [0.5, 30], phi: [0.5, 116], mu: [0.28, 210], sigma: [0.68, 210], eps: [0.14, 312], z: [0.5, 312],
    theta: [0.5, 402], xHat: [0.5, 492], distortion: [0.5, 590], loss: [0.87, 590], rate: [0.87, 116],
  },
};
// from, to, the moment of a slow step at which it lights up
const GRAPH_EDGES = [
  ["x", "phi", 0], ["phi", "mu", 0], ["phi", "sigma", 0], ["mu", "z", 1], ["sigma", "z", 1], ["eps", "z", 1], ["z", "theta", 2],
  ["theta", "xHat", 2], ["xHat", "distortion", 3], ["mu", "rate", 3], ["sigma", "rate", 3], ["rate", "loss", 3], ["distortion", "loss", 3],
];
// Where along its edge a number stands, if not in the middle, so that no two meet.
const LABEL_AT = { wide: { "mu>z": 0.64, "sigma>rate": 0.86, "mu>rate": 0.36, "sigma>z": 0.62 }, tall: { "mu>rate": 0.78, "phi>sigma": 0.35 } };
// Where the score function's way past z bends, comes in and has its number, from the middle of mu or sigma.
const DETOUR = {
  wide: { start: [-42, 14], mu: { bend: [125, 0], end: [44, 8], label: [131, 17] }, sigma: { bend: [86, -98], end: [44, -12], label: [92, -104] } },
  tall: { start: [0, -26], mu: { bend: [12, 190], end: [-4, 26], label: [6, 120] }, sigma: { bend: [14, 190], end: [4, 26], label: [16, 120] } },
};
const GRAPH_MOMENT = { x: 0, phi: 0, mu: 0, sigma: 0, eps: 1, z: 1, theta: 2, xHat: 2, distortion: 3, rate: 3, loss: 3 };
const SYMBOL = { x: "x", mu: "\u03bc", sigma: "\u03c3", eps: "\u03b5", z: "z", xHat: "x\u0302" };
const GRADIENT_MOMENT = 4;

const asVector = (values) => (values.length === 1 ? show(values[0]) : values.length === 2 ? `${show(values[0], 1)}, ${show(values[1], 1)}` : `${show(values[0], 1)}, ${show(values[1], 1)}, \u2026`);
// The letters of a text that stays inside its box, in pixels: about `wide` of a letter's height for each letter.
const fitting = (text, room, wide) => clamp(room / (wide * text.length), 10, 13).toFixed(1);
const asLength = (value) => (value === 0 ? "0" : value < 0.005 ? "<0.01" : value < 100 ? show(value) : value < 1e6 ? String(Math.round(value)) : value.toExponential(0));

// Which gradient comes back along each edge: a length, a colour, or null where none does.
function backwards(seen, { estimator, beta }) {
  const both = (name) => norm(seen.data[name].map((d, i) => d + seen.price[name][i]));
  const data = estimator === "pathwise" ? "var(--vl-blue)" : null;
  return {
    "distortion>loss": [1, "var(--vl-blue)"], "rate>loss": [beta, "var(--vl-green)"],
    "xHat>distortion": [norm(seen.byXHat), "var(--vl-blue)"], "theta>xHat": [norm(seen.byXHat), "var(--vl-blue)"],
    "z>theta": [norm(seen.byZ), "var(--vl-blue)"],
    "mu>z": data && [norm(seen.data.byMu), data], "sigma>z": data && [norm(seen.data.byLogvar.map((d, i) => (2 * d) / seen.sigma[i])), data],
    "mu>rate": [norm(seen.price.byMu), "var(--vl-green)"], "sigma>rate": [norm(seen.price.byLogvar.map((d, i) => (2 * d) / seen.sigma[i])), "var(--vl-green)"],
    "phi>mu": [both("byMu"), "var(--vl-ink)"], "phi>sigma": [both("byLogvar"), "var(--vl-ink)"],
  };
}

// A path through these points, to a tenth of a pixel.
const pathThrough = (...points) => `M${points.map((point) => point.map((v) => Math.round(10 * v) / 10).join(" ")).join("L")}`;

function playgroundGraph(say) {
  const root = svg("svg", { role: "img", class: "vl-graph" });
  const thumb = (name, values, x, y) => mark("g", {}, ...Array.from(values, (value, i) => mark("rect", {
    "data-of": name, x: x - 4 + (i % 8) * 5, y: y - 20 + Math.floor(i / 8) * 5, width: 5, height: 5, fill: "var(--vl-ink)", "fill-opacity": clamp(value, 0, 1),
  })));

  // `moment`: how far a slow step has come; all of it otherwise.
  const draw = (width, run, seen, moment) => {
    const tall = width < 620, plan = tall ? GRAPH_TALL : GRAPH_WIDE, h = plan.box[1], w = tall ? plan.box[0] : Math.min(plan.box[0], 0.118 * width), { estimator } = run.now, digits = run.data.inputs > 2;
    const at = (node) => [clamp(plan.at[node][0] * width, w / 2 + 1, width - w / 2 - 1), plan.at[node][1]];
    const dim = (when) => (moment < when ? 0.16 : 1);
    const flows = backwards(seen, run.now), marks = [], labels = [];
    const reach = (dx, dy) => Math.min(w / 2 / Math.abs(dx || 1e-9), h / 2 / Math.abs(dy || 1e-9));
    const arrow = ([x0, y0], [x1, y1], tone, size, attributes = {}) => {
      const length = Math.hypot(x1 - x0, y1 - y0) || 1, [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length], tip = 5 + size;
      return mark("g", attributes,
        mark("line", { x1: x0, y1: y0, x2: x1 - ux * tip, y2: y1 - uy * tip, stroke: tone, "stroke-width": size, "stroke-dasharray": attributes["data-dashed"] ? "7 4" : "none" }),
        mark("path", { d: pathThrough([x1, y1], [x1 - ux * tip - uy * tip * 0.6, y1 - uy * tip + ux * tip * 0.6], [x1 - ux * tip + uy * tip * 0.6, y1 - uy * tip - ux * tip * 0.6]) + "Z", fill: tone }));
    };
    const label = (x, y, text, tone, anchor, opacity, key) => labels.push(mark("text", { x, y, "text-anchor": anchor, "font-weight": 650, "font-size": 12, style: `fill: ${tone}`, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4, opacity, "data-flow": key }, text));

    for (const [from, to, when] of GRAPH_EDGES) {
      const a = at(from), b = at(to), length = Math.hypot(b[0] - a[0], b[1] - a[1]), ux = (b[0] - a[0]) / length, uy = (b[1] - a[1]) / length;
      const r = reach(ux, uy) + 2, key = `${from}>${to}`, shift = from === "eps" ? 0 : 5;
      const side = (k, s) => [a[0] + ux * k - uy * s, a[1] + uy * k + ux * s]; // s > 0: to the right of the way forward
      marks.push(arrow(side(r, -shift), side(length - r, -shift), "var(--vl-quiet)", 1.2, { opacity: dim(when) * 0.8 }));
      const flow = flows[key], shut = (key === "mu>z" || key === "sigma>z") && !flow, middle = side(length / 2, shift);
      if (shut) {
        const [x, y] = middle;
        marks.push(mark("path", { class: "vl-cut", d: `${pathThrough([x - 7, y - 7])}l14 14m0 -14l-14 14`, stroke: "var(--vl-orange)", "stroke-width": 3.5, fill: "none", opacity: dim(GRADIENT_MOMENT) }));
      } else if (flow) {
        const [value, tone] = flow, size = clamp(1.5 + 1.3 * Math.log10(1 + 8 * value), 1.5, 6);
        if (value > 0) marks.push(arrow(side(length - r, shift), side(r, shift), tone, size, { opacity: dim(GRADIENT_MOMENT), "data-gradient": key }));
        const [x, y] = side(length * (LABEL_AT[tall ? "tall" : "wide"][key] ?? 0.5), shift + 8), flat = Math.abs(uy) < 0.3;
        label(x, y + (flat ? (ux > 0 ? 10 : -2) : 4), asLength(value), tone, flat ? "middle" : uy > 0 ? "end" : "start", dim(GRADIENT_MOMENT), key);
      }
    }
    if (estimator === "score") { // past z: from the distortion's value straight to mu and sigma
      const tone = "var(--vl-purple)", a = at("distortion"), values = [["mu", norm(seen.data.byMu)], ["sigma", norm(seen.data.byLogvar.map((d, i) => (2 * d) / seen.sigma[i]))]];
      const detour = DETOUR[tall ? "tall" : "wide"], from = (p, [dx, dy]) => [p[0] + dx, p[1] + dy];
      for (const [name, value] of values) {
        const b = at(name), bend = from(b, detour[name].bend), text = from(b, detour[name].label);
        marks.push(mark("path", { d: pathThrough(from(a, detour.start), bend), stroke: tone, "stroke-width": 2, "stroke-dasharray": "7 4", fill: "none", opacity: dim(GRADIENT_MOMENT) }),
          arrow(bend, from(b, detour[name].end), tone, clamp(1.5 + 1.3 * Math.log10(1 + 8 * value), 1.5, 6), { "data-dashed": true, "data-gradient": `${name}<score`, opacity: dim(GRADIENT_MOMENT) }));
        label(...text, asLength(value), tone, "start", dim(GRADIENT_MOMENT), `${name}<score`);
      }
    }
    const lines = {
      x: digits ? null : asVector(seen.x), phi: `\u2207 ${asLength(seen.phi)}`, mu: asVector(seen.mu), sigma: asVector(seen.sigma), eps: asVector(seen.eps), z: asVector(seen.z),
      theta: `\u2207 ${asLength(seen.theta)}`, xHat: digits ? null : asVector(seen.xHat), distortion: show(seen.distortion), rate: show(seen.rate), loss: show(seen.loss),
    };
    const title = { phi: say("encoder"), theta: say("decoder"), distortion: say("distortion"), rate: say("rate"), loss: say("loss"), ...SYMBOL };
    const nodes = Object.keys(plan.at).map((node) => {
      const [x, y] = at(node), dice = node === "eps" || (node === "z" && estimator !== "pathwise"), learns = node === "phi" || node === "theta", lit = learns && moment === 5;
      const look = { fill: "var(--vl-raised)", stroke: lit ? "var(--vl-orange)" : learns ? "var(--vl-ink)" : "var(--vl-quiet)", "stroke-width": lit ? 4 : learns ? 2 : 1.3 };
      const shape = dice ? mark("ellipse", { cx: x, cy: y, rx: w / 2, ry: h / 2, ...look }) : mark("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: learns ? 14 : 5, ...look });
      const parts = [shape];
      if (lines[node] === null) {
        parts.push(thumb(node, seen[node], x, y), mark("text", { x: x - 26, y: y + 5, "text-anchor": "middle", "font-weight": 650 }, title[node]));
      } else {
        parts.push(mark("text", { x, y: y - 5, "text-anchor": "middle", "font-weight": 650, style: `font-size: ${fitting(title[node], w - 10, 0.66)}px` }, title[node]),
          mark("text", { x, y: y + 14, "text-anchor": "middle", "data-node": node, style: `font-size: ${fitting(lines[node], w - 10, 0.53)}px` }, lines[node]));
      }
      return mark("g", { opacity: dim(GRAPH_MOMENT[node]) }, ...parts);
    });
    set(root, { width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}` });
    redraw(root, ...marks, ...nodes, ...labels);
  };
  return { root, draw };
}
