// A die with three faces, made soft: samples in the simplex at a temperature, and what the softness does to a gradient.

const GUMBELS = 20000, DOTS_SHOWN = 500, SIMPLEX_HEIGHT = 330, CORNERS = ["A", "B", "C"], OF = 1; // the gradient for the second logit

// Gumbel noise, three for each sample: argmax(log p + g) is an exact draw from p.
const gumbels = (count) => Float64Array.from({ length: 3 * count }, () => -Math.log(-Math.log(1 - Math.random() + 1e-300) + 1e-300));

function softmax3(a, b, c) {
  const top = Math.max(a, b, c), x = Math.exp(a - top), y = Math.exp(b - top), z = Math.exp(c - top), sum = x + y + z;
  return [x / sum, y / sum, z / sum];
}

// One-sample gradients of E reward by the logit OF: of the soft sample, and of the hard one by the score function.
function softAndHard(p, reward, tau, noise) {
  const log = p.map(Math.log), base = p.reduce((sum, q, k) => sum + q * reward[k], 0), count = noise.length / 3;
  const soft = new Float64Array(count), hard = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const l = [0, 1, 2].map((k) => log[k] + noise[3 * i + k]);
    const y = softmax3(l[0] / tau, l[1] / tau, l[2] / tau);
    soft[i] = (y[OF] * (reward[OF] - y[0] * reward[0] - y[1] * reward[1] - y[2] * reward[2])) / tau;
    const face = l[0] > l[1] ? (l[0] > l[2] ? 0 : 2) : l[1] > l[2] ? 1 : 2;
    hard[i] = (reward[face] - base) * ((face === OF) - p[OF]);
  }
  return { soft, hard, exact: p[OF] * (reward[OF] - base) };
}

const precise = (value) => show(value, value < 0.01 ? 5 : 3); // a small variance is small, and not 0

export default {
  render({ model, el }) {
    const say = wordsOf(model), reward = model.get("reward");
    let noise = gumbels(GUMBELS);
    const put = (weights) => {
      const kept = weights.map((w) => Math.max(w, 0.02)), sum = kept.reduce((a, b) => a + b, 0);
      model.set("p", kept.map((w) => Number((w / sum).toFixed(4))));
      model.save_changes();
    };
    const tau = slider(model, {
      label: say("temperature"), trait: "temperature", min: Math.log10(0.05), max: Math.log10(5), step: 0.01, read: Math.log10, write: (v) => Number((10 ** v).toPrecision(3)),
      text: (v) => show(10 ** v), spoken: (v) => say("temperature_spoken", { value: show(10 ** v) }),
    });
    const drawing = svg("svg", { role: "group", "aria-label": say("drawing") });
    const rows = ["soft", "hard"].map((key) => ({ key, cells: [html("td"), html("td"), html("td"), html("td")] }));
    const table = html("table", {}, html("thead", {}, html("tr", {}, ...["one_sample", "mean", "exact", "bias", "variance"].map((key) => html("th", { scope: "col" }, say(key))))),
      html("tbody", {}, ...rows.map(({ key, cells }) => html("tr", {}, html("th", { scope: "row" }, say(key)), ...cells))));
    const verdict = html("p", { class: "vl-verdict" }), voice = announcer();
    const again = button(say("again"), () => { noise = gumbels(GUMBELS); draw(); });
    const root = frame(say("title"), html("div", { class: "vl-controls" }, tau.root), drawing, html("div", { class: "vl-row" }, again), html("p", { class: "vl-reward" }, say("reward", { a: reward[0], b: reward[1], c: reward[2] })), table, verdict, voice.root);
    el.append(root);
    const still = svg("g"), cloud = svg("path", { class: "vl-samples", stroke: "var(--vl-blue)", "stroke-width": 4, "stroke-linecap": "round", "stroke-opacity": 0.45, fill: "none", "pointer-events": "none" });
    const area = svg("path", { class: "vl-drag", fill: "transparent" });
    const handle = svg("circle", { class: "vl-handle", r: 9, tabindex: 0, role: "slider", "aria-label": say("handle"), "aria-valuemin": 0, "aria-valuemax": 1 });
    drawing.append(still, area, cloud, handle);
    let corners = [];
    const at = (p) => [0, 1].map((k) => p.reduce((sum, q, i) => sum + q * corners[i][k], 0));
    // The weights of the corners for a place in the triangle.
    const weightsAt = (px, py) => {
      const [[ax, ay], [bx, by], [cx, cy]] = corners, area2 = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      const b = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area2, c = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area2;
      return [1 - b - c, b, c];
    };
    draggable(area, handle, (px, py) => put(weightsAt(px, py)), (dx, dy) => { const [px, py] = at(model.get("p")); put(weightsAt(px + 4 * dx, py - 4 * dy)); });

    const draw = () => {
      tau.update();
      const p = model.get("p"), t = model.get("temperature"), { soft, hard, exact } = softAndHard(p, reward, t, noise);
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), side = Math.min(width - 84, 330), left = (width - side) / 2, bottom = SIMPLEX_HEIGHT - 26;
      corners = [[left, bottom], [left + side / 2, bottom - side * 0.866], [left + side, bottom]];
      set(drawing, { width, height: SIMPLEX_HEIGHT, viewBox: `0 0 ${width} ${SIMPLEX_HEIGHT}` });
      const outline = `M${corners.map((c) => c.join(" ")).join("L")}Z`, [px, py] = at(p);
      set(area, { d: outline });
      still.replaceChildren(svg("path", { class: "vl-axis", d: outline }),
        ...corners.map(([x, y], k) => svg("text", { x: x + [-8, 0, 8][k], y: y + (k === 1 ? -9 : 20), "text-anchor": "middle", "font-weight": 650 }, `${CORNERS[k]} ${show(p[k])}`)));
      let d = "";
      for (let i = 0; i < DOTS_SHOWN; i++) {
        const y = softmax3(...[0, 1, 2].map((k) => (Math.log(p[k]) + noise[3 * i + k]) / t)), [x0, y0] = at(y);
        d += `M${x0.toFixed(1)} ${y0.toFixed(1)}h0`;
      }
      set(cloud, { d });
      set(handle, { cx: px, cy: py, "aria-valuenow": p[0], "aria-valuetext": say("handle_spoken", { a: show(p[0]), b: show(p[1]), c: show(p[2]) }) });
      const found = { soft: moments(soft), hard: moments(hard) };
      rows.forEach(({ key, cells }) => [found[key].mean, exact, found[key].mean - exact, found[key].sd ** 2].forEach((value, i) => { cells[i].textContent = i < 3 ? show(value, 3) : precise(value); }));
      // Is the mean further off than its own standard error would let it be?
      const bias = Math.abs(found.soft.mean - exact), seen = bias > (3 * found.soft.sd) / Math.sqrt(GUMBELS);
      verdict.textContent = say(seen ? "biased" : "unbiased", { bias: show(bias, 3), variance: precise(found.soft.sd ** 2), hard: precise(found.hard.sd ** 2) });
      voice.say(verdict.textContent);
    };
    return keepDrawn(model, root, ["temperature", "p"], draw);
  },
};
