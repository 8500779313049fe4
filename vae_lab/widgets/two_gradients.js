// f(x) = x^2, x = mu + sigma * eps ~ N(mu, sigma^2): one-sample gradients of E f, two ways, from the same noise.

const DRAWS = 20000, HEIGHT = 300, BINS = 80, MARGIN = { top: 12, bottom: 40 };
const pathwise = { mu: (m, s, e) => 2 * (m + s * e), sigma: (m, s, e) => 2 * (m + s * e) * e };
const score = { mu: (m, s, e, b) => (((m + s * e) ** 2 - b) * e) / s, sigma: (m, s, e, b) => (((m + s * e) ** 2 - b) * (e * e - 1)) / s };

// Means and variances of one sample, exactly. A baseline b takes 2 b E[f w^2] from E[f^2 w^2] and adds b^2 E[w^2], where w is
// the derivative of log p: E[w^2] = 1 / s^2 and E[f w^2] = (a^2 + 3 s^2) / s^2 for mu, 2 / s^2 and (2 a^2 + 10 s^2) / s^2 for sigma.
function closedForms(parameter, a, s, b) {
  const s2 = s * s, a2 = a * a;
  return parameter === "mu"
    ? { mean: 2 * a, pathwise: 4 * s2, score: a2 * a2 / s2 + 14 * a2 + 15 * s2 - (2 * b * (a2 + 3 * s2)) / s2 + (b * b) / s2 }
    : { mean: 2 * s, pathwise: 4 * a2 + 8 * s2, score: 2 * a2 * a2 / s2 + 60 * a2 + 74 * s2 - (2 * b * (2 * a2 + 10 * s2)) / s2 + (2 * b * b) / s2 };
}

function variance(values) {
  const { mean, sd } = moments(values);
  return { mean, variance: (sd * sd * values.length) / (values.length - 1) };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model);
    let eps = normals(DRAWS);
    const controls = [
      slider(model, { label: say("mu"), trait: "mu", min: -3, max: 3, step: 0.05, spoken: (v) => say("mu_spoken", { value: show(v) }) }),
      slider(model, { label: say("sigma"), trait: "sigma", min: 0.3, max: 3, step: 0.05, spoken: (v) => say("sigma_spoken", { value: show(v) }) }),
      slider(model, { label: say("baseline"), trait: "baseline", min: 0, max: 20, step: 0.25, spoken: (v) => say("baseline_spoken", { value: show(v) }) }),
    ];
    const parameter = choice(model, { label: say("parameter"), trait: "parameter", choices: [["mu", "\u03bc"], ["sigma", "\u03c3"]] });
    const drawing = svg("svg", { role: "img" });
    const cells = ["pathwise", "score"].map((name) => {
      const numbers = Array.from({ length: 4 }, () => html("td"));
      return { numbers, row: html("tr", {}, html("th", { scope: "row" }, html("span", { class: `vl-key vl-${name}`, "aria-hidden": "true" }), say(name)), ...numbers) };
    });
    const table = html("table", {},
      html("thead", {}, html("tr", {}, ...["one_sample", "mean", "exact", "variance", "exact"].map((key) => html("th", { scope: "col" }, say(key))))),
      html("tbody", {}, ...cells.map((c) => c.row)));
    const verdict = html("p", { class: "vl-verdict" });
    const again = button(say("again"), () => { eps = normals(DRAWS); draw(); });
    // E f = mu^2 + sigma^2
    const meanOfF = button(say("mean_of_f"), () => { model.set("baseline", clamp(model.get("mu") ** 2 + model.get("sigma") ** 2, 0, 20)); model.save_changes(); });
    const voice = announcer();
    const root = frame(say("title"), html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)),
      parameter.root, drawing, table, verdict, html("div", { class: "vl-row" }, meanOfF, again), voice.root);
    el.append(root);

    const bars = ["score", "pathwise"].map((kind) => svg("path", { class: `vl-bars vl-${kind}` }));
    const mark = svg("path", { stroke: "var(--vl-ink)", "stroke-width": 2, "stroke-dasharray": "5 4", fill: "none" });
    const label = svg("text", { "font-weight": 600 });
    const still = svg("g");
    drawing.append(still, ...bars, mark, label);
    const gradients = { pathwise: new Float64Array(DRAWS), score: new Float64Array(DRAWS) };

    const draw = () => {
      [...controls, parameter].forEach((c) => c.update());
      const m = model.get("mu"), s = model.get("sigma"), b = model.get("baseline"), which = model.get("parameter");
      for (let i = 0; i < DRAWS; i++) {
        gradients.pathwise[i] = pathwise[which](m, s, eps[i]);
        gradients.score[i] = score[which](m, s, eps[i], b);
      }
      const exact = closedForms(which, m, s, b);
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft);
      // The axis is three standard deviations of the wider histogram to each side; the rest is counted in words.
      const reach = Math.max(2, 3 * Math.sqrt(Math.max(exact.score, exact.pathwise)));
      const step = 10 ** Math.floor(Math.log10(reach)), unit = step * (reach / step > 5 ? 5 : reach / step > 2 ? 2 : 1);
      const x = linear([exact.mean - reach, exact.mean + reach], [4, width - 4]);
      const bottom = HEIGHT - MARGIN.bottom, size = (2 * reach) / BINS;
      let outside = 0;
      const counts = Object.fromEntries(["pathwise", "score"].map((kind) => {
        const found = new Uint32Array(BINS);
        for (const g of gradients[kind]) {
          const bin = Math.floor((g - exact.mean + reach) / size);
          if (bin >= 0 && bin < BINS) found[bin]++;
          else outside++;
        }
        return [kind, found];
      }));
      const y = linear([0, Math.max(...counts.pathwise, ...counts.score)], [bottom, MARGIN.top + 16]);
      set(drawing, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
      ["score", "pathwise"].forEach((kind, k) => {
        let d = `M${x(exact.mean - reach)} ${bottom}`;
        counts[kind].forEach((n, i) => { d += `V${y(n).toFixed(1)}H${x(exact.mean - reach + (i + 1) * size).toFixed(1)}`; });
        set(bars[k], { d: `${d}V${bottom}Z` });
      });
      set(mark, { d: `M${x(exact.mean)} ${MARGIN.top}V${bottom}` });
      set(label, { x: x(exact.mean) + 6, y: MARGIN.top + 10 });
      label.textContent = say("mark", { value: show(exact.mean) });
      const ticks = [];
      for (let t = Math.ceil((exact.mean - reach) / unit) * unit; t <= exact.mean + reach; t += unit) ticks.push(t);
      set(drawing, { "aria-label": say("drawing", { count: DRAWS, mean: show(exact.mean) }) });
      still.replaceChildren(svg("path", { class: "vl-axis", d: `M0 ${bottom}H${width}` }), ...bottomAxis(x, bottom, ticks.filter((t) => x(t) > 14 && x(t) < width - 14), unit < 1 ? 1 : 0),
        svg("text", { x: width / 2, y: HEIGHT - 4, "text-anchor": "middle" }, say(width < 460 ? "axis_short" : "axis", { outside, all: 2 * DRAWS })));

      const seen = [variance(gradients.pathwise), variance(gradients.score)];
      [exact.pathwise, exact.score].forEach((v, k) => {
        [seen[k].mean, exact.mean, seen[k].variance, v].forEach((value, i) => { cells[k].numbers[i].textContent = show(value); });
      });
      const ratio = exact.score / exact.pathwise;
      verdict.textContent = say(`${ratio >= 1 ? "louder" : "quieter"}${b ? "" : "_bare"}`, { ratio: show(ratio, ratio >= 1 ? 1 : 2) });
      voice.say(`${say("variances", { pathwise: show(exact.pathwise), score: show(exact.score) })} ${verdict.textContent}`);
    };
    return keepDrawn(model, root, ["mu", "sigma", "baseline", "parameter"], draw);
  },
};
