// One latent dimension, one x: an exact posterior, a q to be dragged over it, and the bound in its parts.

const BOUND_TOP = 1.7, FAR = 3.2, BOUND_HEIGHT = 250, BAR = 34;
const LOG_ROOT_2PI = 0.5 * Math.log(2 * Math.PI);
const logNormal = (x, mean, sd) => -0.5 * ((x - mean) / sd) ** 2 - Math.log(sd) - LOG_ROOT_2PI;

// p(z) = N(0, 1) and p(x|z) = N(f(z), s^2): with f(z) = z the posterior is normal, with f(z) = z^2 it has two humps.
const SHAPES_OF_POSTERIOR = {
  one: { f: (z) => z, error: (x, m, v) => (x - m) ** 2 + v }, // error: E_q (x - f(z))^2, exactly, for q = N(m, v)
  two: { f: (z) => z * z, error: (x, m, v) => x * x - 2 * x * (m * m + v) + m ** 4 + 6 * m * m * v + 3 * v * v },
};

// The trapezoid rule; for functions that vanish at both ends it is as exact as the numbers are.
function integral(g, low, high, parts = 4000) {
  const h = (high - low) / parts;
  let sum = 0;
  for (let i = 0; i <= parts; i++) sum += g(low + i * h) * (i === 0 || i === parts ? 0.5 : 1);
  return sum * h;
}

// log p(x), by integrating over z; needed once for each posterior.
const logEvidence = ({ x, s }, { f }) => Math.log(integral((z) => Math.exp(logNormal(z, 0, 1) + logNormal(x, f(z), s)), -9, 9));

// Distortion and rate in closed form, the gap KL(q || posterior) by integration: nothing here is made to add up.
function boundParts(problem, shape, logP, mu, sigma) {
  const { x, s } = problem;
  const distortion = 0.5 * shape.error(x, mu, sigma * sigma) / (s * s) + Math.log(s) + LOG_ROOT_2PI;
  const rate = 0.5 * (mu * mu + sigma * sigma - 1) - Math.log(sigma);
  const gap = integral((z) => {
    const q = logNormal(z, mu, sigma);
    return Math.exp(q) * (q - (logNormal(z, 0, 1) + logNormal(x, shape.f(z), s) - logP));
  }, mu - 9 * sigma, mu + 9 * sigma, 1500);
  return { distortion, rate, gap };
}

// The q of the smallest distortion + rate, from where q is: down the slope, by halving steps.
function bestFit(problem, shape, mu, sigma) {
  const cost = (m, l) => 0.5 * shape.error(problem.x, m, Math.exp(2 * l)) / problem.s ** 2 + 0.5 * (m * m + Math.exp(2 * l)) - l;
  let at = [mu, Math.log(sigma)];
  for (let step = 0.5; step > 1e-5; step /= 2) {
    for (let moved = true; moved;) {
      moved = false;
      for (const [dm, dl] of [[step, 0], [-step, 0], [0, step], [0, -step]]) {
        if (cost(at[0] + dm, at[1] + dl) < cost(...at) - 1e-12) { at = [at[0] + dm, at[1] + dl]; moved = true; }
      }
    }
  }
  return [at[0], Math.exp(at[1])];
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), problem = model.get("problem"), evidence = {};
    const put = (mu, sigma) => { model.set("mu", clamp(Number(mu.toFixed(3)), -3, 3)); model.set("sigma", clamp(Number(sigma.toFixed(3)), 0.25, 2)); model.save_changes(); };
    const kinds = choice(model, { label: say("posterior"), trait: "posterior", choices: [["one", say("one")], ["two", say("two")]] });
    const sliders = [
      slider(model, { label: say("mu"), trait: "mu", min: -3, max: 3, step: 0.01, spoken: (v) => say("mu_spoken", { value: show(v) }) }),
      slider(model, { label: say("sigma"), trait: "sigma", min: 0.25, max: 2, step: 0.01, spoken: (v) => say("sigma_spoken", { value: show(v) }) }),
    ];
    const best = button(say("best"), () => put(...bestFit(problem, SHAPES_OF_POSTERIOR[model.get("posterior")], model.get("mu"), model.get("sigma"))));
    const drawing = svg("svg", { role: "group", "aria-label": say("drawing") }), bars = svg("svg", { role: "img" });
    const given = html("p", { class: "vl-given vl-quiet" }), sum = html("p", { class: "vl-sum vl-number" }), verdict = html("p", { class: "vl-verdict" }), voice = announcer();
    const root = frame(say("title"), kinds.root, given, html("div", { class: "vl-controls" }, ...sliders.map((s) => s.root)), drawing, html("div", { class: "vl-row" }, best), bars, sum, verdict, voice.root);
    el.append(root);
    const still = svg("g", { "pointer-events": "none" }), area = svg("rect", { class: "vl-drag", fill: "transparent" });
    const handle = svg("circle", { class: "vl-handle", r: 9, tabindex: 0, role: "slider", "aria-label": say("handle"), "aria-valuemin": -3, "aria-valuemax": 3 });
    drawing.append(still, area, handle);
    let x = null, y = null;
    // The handle is the top of q: higher is narrower.
    draggable(area, handle, (px, py) => put(x.invert(px), 1 / (Math.max(y.invert(py), 0.1) * Math.sqrt(2 * Math.PI))),
      (dx, dy) => put(model.get("mu") + 0.05 * dx, model.get("sigma") - 0.05 * dy));

    const draw = () => {
      [...sliders, kinds].forEach((c) => c.update());
      const kind = model.get("posterior"), shape = SHAPES_OF_POSTERIOR[kind], mu = model.get("mu"), sigma = model.get("sigma");
      const logP = (evidence[kind] ??= logEvidence(problem, shape)), parts = boundParts(problem, shape, logP, mu, sigma);
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), bottom = BOUND_HEIGHT - 38;
      x = linear([-FAR, FAR], [0, width]);
      y = linear([0, BOUND_TOP], [bottom, 8]);
      set(drawing, { width, height: BOUND_HEIGHT, viewBox: `0 0 ${width} ${BOUND_HEIGHT}` });
      set(area, { x: 0, y: 0, width, height: bottom });
      const path = (g) => { let d = ""; for (let i = 0; i <= 240; i++) { const z = -FAR + (2 * FAR * i) / 240; d += `${i ? "L" : "M"}${x(z).toFixed(1)} ${y(g(z)).toFixed(1)}`; } return d; };
      const posterior = path((z) => Math.exp(logNormal(z, 0, 1) + logNormal(problem.x, shape.f(z), problem.s) - logP));
      const name = (px, py, text, tone) => svg("text", { x: px, y: py, "font-weight": 650, style: `fill: ${tone}`, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4 }, text);
      still.replaceChildren(
        svg("path", { class: "vl-axis", d: `M0 ${bottom}H${width}` }), ...bottomAxis(x, bottom, [-3, -2, -1, 0, 1, 2, 3]), svg("text", { x: width - 10, y: BOUND_HEIGHT - 4 }, "z"),
        svg("path", { d: path((z) => density(z, 0, 1)), stroke: "var(--vl-quiet)", "stroke-dasharray": "5 4", "stroke-width": 1.5, fill: "none" }),
        svg("path", { d: `${posterior}V${bottom}H0Z`, fill: "var(--vl-green)", "fill-opacity": 0.25 }), svg("path", { d: posterior, stroke: "var(--vl-green)", "stroke-width": 2, fill: "none" }),
        svg("path", { d: path((z) => density(z, mu, sigma)), stroke: "var(--vl-orange)", "stroke-width": 2.5, fill: "none" }),
        name(4, 18, say("key_posterior"), "var(--vl-green)"), name(4, 36, say("key_prior"), "var(--vl-quiet)"), name(4, 54, say("key_q"), "var(--vl-orange)"));
      set(handle, { cx: x(clamp(mu, -FAR, FAR)), cy: y(density(mu, mu, sigma)), "aria-valuenow": mu, "aria-valuetext": say("handle_spoken", { mu: show(mu), sigma: show(sigma) }) });

      // Two bars of one length: distortion + rate above, -log p(x) + gap below.
      const total = Math.max(parts.distortion + parts.rate, 4.2), long = linear([0, total * 1.02], [0, width]), room = (value, text) => long(value) > 7.2 * text.length;
      const bar = (from, value, row, tone, text, beside = "") => [
        svg("rect", { x: long(from), y: row, width: Math.max(0, long(from + value) - long(from)), height: BAR, fill: tone, "fill-opacity": 0.3, stroke: tone }),
        room(value, text) ? svg("text", { x: long(from) + 5, y: row + 22 }, text)
          : svg("text", { x: long(from) - 5, y: row + 22, "text-anchor": "end" }, room(from, text + beside) ? text : "")]; // too narrow: before it
      const words = Object.fromEntries(["distortion", "rate", "gap"].map((key) => [key, say(`bar_${key}`, { value: show(parts[key]) })]));
      set(bars, { width, height: 2 * BAR + 10, viewBox: `0 0 ${width} ${2 * BAR + 10}` });
      const below = say("bar_evidence", { value: show(-logP) });
      bars.replaceChildren(
        ...bar(0, parts.distortion, 1, "var(--vl-blue)", words.distortion), ...bar(parts.distortion, parts.rate, 1, "var(--vl-purple)", words.rate, words.distortion),
        ...bar(0, -logP, BAR + 8, "var(--vl-green)", below), ...bar(-logP, parts.gap, BAR + 8, "var(--vl-orange)", words.gap, below));
      const values = { distortion: show(parts.distortion, 3), rate: show(parts.rate, 3), gap: show(parts.gap, 3), evidence: show(logP, 3), elbo: show(-parts.distortion - parts.rate, 3) };
      sum.textContent = say("sum", values);
      verdict.textContent = say(parts.gap < 0.0005 ? "closed" : kind === "two" ? "open_two" : "open_one", values);
      set(bars, { "aria-label": say("bars_spoken", values) });
      given.textContent = say(`given_${kind}`, { x: problem.x, s: problem.s });
      voice.say(`${sum.textContent} ${verdict.textContent}`);
    };
    return keepDrawn(model, root, ["mu", "sigma", "posterior"], draw);
  },
};
