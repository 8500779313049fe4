// Importance-weighted bounds on log p(x) of a linear Gaussian model, estimated in the page and held against exact values.

const RUNGS = [1, 5, 50, 500], POOL = 30000, SHOWN = 120, HEIGHT = 310, MARGIN = { top: 30, bottom: 44, left: 44 };

// q(z|x) for a given fit t: the mean goes from 0 to the posterior's, the variances from 1 to 1 / diag(posterior precision).
function proposal({ W, s2, mean }, t) {
  const precision = [0, 1].map((d) => 1 + W.reduce((sum, row) => sum + row[d] ** 2, 0) / s2);
  return { m: mean.map((v) => t * v), v: precision.map((p) => p ** -t) };
}

// The exact ELBO: E_q log p(x|z) - KL(q || N(0, I)).
function exactElbo({ W, s2, x }, { m, v }) {
  let likelihood = 0;
  W.forEach((row, i) => {
    const error = x[i] - row[0] * m[0] - row[1] * m[1], spread = row[0] ** 2 * v[0] + row[1] ** 2 * v[1];
    likelihood -= 0.5 * (Math.log(2 * Math.PI * s2) + (error * error + spread) / s2);
  });
  const kl = [0, 1].reduce((sum, d) => sum + 0.5 * (m[d] ** 2 + v[d] - 1 - Math.log(v[d])), 0);
  return likelihood - kl;
}

// log w = log p(x, z) - log q(z|x) for each draw z = m + sqrt(v) eps. The constant of q and of the prior cancel.
function logWeights({ W, s2, x }, { m, v }, eps) {
  const out = new Float64Array(eps.length / 2), sd = v.map(Math.sqrt);
  const constant = -0.5 * x.length * Math.log(2 * Math.PI * s2) + 0.5 * (Math.log(v[0]) + Math.log(v[1]));
  for (let i = 0; i < out.length; i++) {
    const a = eps[2 * i], b = eps[2 * i + 1], z0 = m[0] + sd[0] * a, z1 = m[1] + sd[1] * b;
    let square = 0;
    for (let r = 0; r < W.length; r++) square += (x[r] - W[r][0] * z0 - W[r][1] * z1) ** 2;
    out[i] = constant - square / (2 * s2) - 0.5 * (z0 * z0 + z1 * z1 - a * a - b * b);
  }
  return out;
}

// log of the mean of exp, over each run of k weights: one estimate of L_k for each run.
function estimates(weights, k) {
  const out = new Float64Array(Math.floor(weights.length / k));
  for (let i = 0; i < out.length; i++) {
    let top = -Infinity, sum = 0;
    for (let j = i * k; j < (i + 1) * k; j++) top = Math.max(top, weights[j]);
    for (let j = i * k; j < (i + 1) * k; j++) sum += Math.exp(weights[j] - top);
    out[i] = top + Math.log(sum / k);
  }
  return out;
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), problem = model.get("problem");
    let eps = normals(2 * POOL);
    const controls = [
      slider(model, { label: say("fit"), trait: "fit", min: 0, max: 1, step: 0.01, spoken: (v) => say("fit_spoken", { value: show(v) }) }),
      slider(model, {
        label: say("samples"), trait: "samples", min: 0, max: 3, step: 0.01, text: String, spoken: (v) => say("samples_spoken", { k: v }),
        read: (k) => k, write: (v) => Math.round(500 ** (v / 3)),
      }),
    ];
    const samples = controls[1].root.querySelector("input"); // K runs from 1 to 500 on a logarithmic slider
    const drawing = svg("svg", { role: "img" });
    const text = html("p", { class: "vl-ladder" }), single = html("p", { class: "vl-single" });
    const voice = announcer();
    const again = button(say("again"), () => { eps = normals(2 * POOL); draw(); });
    const root = frame(say("title"), html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)), drawing, text, single,
      html("div", { class: "vl-row" }, again), voice.root);
    el.append(root);

    const draw = () => {
      controls.forEach((c) => c.update());
      const k = model.get("samples");
      samples.value = (3 * Math.log(k)) / Math.log(500);
      const q = proposal(problem, model.get("fit")), elbo = exactElbo(problem, q), weights = logWeights(problem, q, eps);
      const rungs = RUNGS.map((n) => { const { mean, sd } = moments(estimates(weights, n)); return { n, mean, error: sd / Math.sqrt(Math.floor(POOL / n)) }; });
      const singles = estimates(weights.subarray(0, SHOWN * k), k);

      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft);
      const right = width - 8, bottom = HEIGHT - MARGIN.bottom;
      const low = Math.floor(Math.min(elbo, -6) - 1), y = linear([low, -3.4], [bottom, MARGIN.top]);
      const x = linear([0, 3], [MARGIN.left + 16, right - 16]), place = (n) => x((3 * Math.log(n)) / Math.log(500));
      const marks = [
        svg("path", { class: "vl-axis", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}` }),
        ...leftAxis(MARGIN.left, y, Array.from({ length: Math.floor(-4 - low) + 1 }, (_, i) => -4 - i).filter((v) => (v - low) % (low < -12 ? 2 : 1) === 0)),
        ...RUNGS.map((n) => svg("g", { class: "vl-tick" }, svg("text", { x: place(n), y: bottom + 17, "text-anchor": "middle" }, String(n)))),
        svg("text", { x: (MARGIN.left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, say("samples")),
        svg("text", { x: 2, y: 14 }, say("nats")),
        svg("path", { d: `M${MARGIN.left} ${y(problem.log_p)}H${right}`, stroke: "var(--vl-green)", "stroke-width": 2.5, fill: "none" }),
        svg("text", { x: right, y: y(problem.log_p) - 7, "text-anchor": "end", style: "fill: var(--vl-green)", "font-weight": 650 }, say("log_p", { value: show(problem.log_p, 3) })),
      ];
      singles.forEach((value, i) => {
        if (value > low) marks.push(svg("circle", { cx: place(k) + ((i / SHOWN) - 0.5) * 26, cy: y(value), r: 2.2, fill: "var(--vl-blue)", opacity: 0.55 }));
      });
      marks.push(svg("path", { d: `M${rungs.map((r) => `${place(r.n)} ${y(Math.max(r.mean, low))}`).join("L")}`, fill: "none", stroke: "var(--vl-orange)", "stroke-width": 2 }));
      rungs.forEach((r) => marks.push(svg("circle", { class: "vl-rung", "data-k": r.n, "data-mean": r.mean, cx: place(r.n), cy: y(Math.max(r.mean, low)), r: 5.5, fill: "var(--vl-orange)" })));
      set(drawing, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
      drawing.replaceChildren(...marks);

      const measured = rungs.map((r) => `L${r.n} ${show(r.mean, 3)} \u00b1 ${show(r.error, 3)}`).join(", ");
      text.textContent = say("ladder", { elbo: show(elbo, 3), log_p: show(problem.log_p, 3), measured });
      const above = singles.reduce((n, v) => n + (v > problem.log_p), 0);
      single.textContent = say("single", { count: singles.length, k, above });
      set(drawing, { "aria-label": `${text.textContent} ${single.textContent}` });
      voice.say(`${text.textContent} ${single.textContent}`);
    };
    return keepDrawn(model, root, ["fit", "samples"], draw);
  },
};
