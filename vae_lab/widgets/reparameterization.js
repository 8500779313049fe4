// z = mu + sigma * eps. Left: z over sigma, a line for each frozen eps. Right: all z against N(mu, sigma^2).

const DOTS = 16, LIMIT = 7, HEIGHT = 340, MARGIN = { top: 26, bottom: 42, left: 34 };
const BINS = 56, BIN = (2 * LIMIT) / BINS, many = (count) => count.toLocaleString("en");

export default {
  render({ model, el }) {
    const say = wordsOf(model);
    const controls = [
      slider(model, { label: say("mu"), trait: "mu", min: -2, max: 2, step: 0.01, spoken: (v) => say("mu_spoken", { value: show(v) }) }),
      slider(model, { label: say("sigma"), trait: "sigma", min: 0, max: 2.5, step: 0.01, spoken: (v) => say("sigma_spoken", { value: show(v) }) }),
      slider(model, {
        label: say("follow"), trait: "chosen", min: 0, max: DOTS - 1, step: 1, text: (v) => say("dot", { number: v + 1, all: DOTS }),
        spoken: (v) => say("dot_spoken", { number: v + 1, all: DOTS, eps: show(model.get("eps")[v]) }),
      }),
    ];
    const redraw = button(say("again"), () => {
      const eps = Array.from(normals(model.get("eps").length), (v) => Math.round(1000 * v) / 1000);
      model.set("eps", eps.slice(0, DOTS).sort((a, b) => a - b).concat(eps.slice(DOTS)));
      model.save_changes();
    });
    const drawing = svg("svg", { role: "group", "aria-label": say("drawing") });
    const formula = html("p", { class: "vl-number vl-formula" });
    const slopes = html("p");
    const summary = html("p", { class: "vl-summary" });
    const voice = announcer();
    el.append(frame(say("title"),
      html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)), drawing,
      formula, slopes, summary, html("div", { class: "vl-row" }, redraw), voice.root));

    // Made once, moved every frame.
    const handle = svg("circle", {
      class: "vl-handle vl-ring", r: 11, tabindex: 0, role: "slider", "aria-label": say("handle"),
      "aria-valuemin": 0, "aria-valuemax": 2.5,
    });
    const area = svg("rect", { class: "vl-drag", fill: "transparent" });
    const lines = Array.from({ length: DOTS }, () => svg("line", { class: "vl-line" }));
    const dots = Array.from({ length: DOTS }, () => svg("circle", { class: "vl-dot" }));
    const bars = Array.from({ length: BINS }, () => svg("rect", { fill: "var(--vl-blue)", opacity: 0.45 }));
    const curve = svg("path", { fill: "none", stroke: "var(--vl-orange)", "stroke-width": 2.5 });
    const now = svg("line", { stroke: "var(--vl-line)", "stroke-width": 1.5 });
    const tag = svg("text", { "font-weight": 600, style: "fill: var(--vl-orange)", "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4 });
    const clip = uniqueId("clip"), inside = svg("rect");
    const still = svg("g");
    const moving = svg("g", { "pointer-events": "none" }, svg("g", { "clip-path": `url(#${clip})` }, now, ...lines), ...dots, tag, ...bars, curve);
    drawing.append(still, area, handle, moving);

    let x, z, fan, wide, width = 0;
    const layout = () => {
      width = drawing.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(drawing.parentElement).paddingLeft);
      fan = [MARGIN.left, MARGIN.left + (width - MARGIN.left) * 0.6];
      wide = [fan[1] + 18, width];
      x = linear([0, 2.5], [fan[0], fan[1] - 8]);
      z = linear([-LIMIT, LIMIT], [HEIGHT - MARGIN.bottom, MARGIN.top]);
      set(drawing, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
      for (const box of [area, inside]) set(box, { x: fan[0], y: MARGIN.top, width: fan[1] - fan[0], height: HEIGHT - MARGIN.bottom - MARGIN.top });
      const bottom = HEIGHT - MARGIN.bottom;
      still.replaceChildren(svg("clipPath", { id: clip }, inside),
        svg("text", { x: 2, y: 14 }, "z"),
        svg("text", { x: fan[0] + 10, y: 14 }, say("fan")),
        svg("text", { x: wide[0], y: 14 }, width < 460 ? say("all_short") : say("all", { count: many(model.get("eps").length) })),
        svg("path", { class: "vl-axis", d: `M${fan[0]} ${MARGIN.top}V${bottom}H${fan[1]}M${wide[0]} ${MARGIN.top}V${bottom}H${wide[1]}` }),
        ...leftAxis(fan[0], z, [-6, -4, -2, 0, 2, 4, 6]), ...bottomAxis(x, bottom, [0, 1, 2]),
        svg("text", { x: (fan[0] + fan[1]) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "\u03c3"),
        svg("text", { x: (wide[0] + wide[1]) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, say(width < 460 ? "density_short" : "density")));
    };

    const put = (trait, value, low, high) => model.set(trait, clamp(Math.round(100 * value) / 100, low, high));
    draggable(area, handle,
      (px, py) => { put("sigma", x.invert(px), 0, 2.5); put("mu", z.invert(py), -2, 2); model.save_changes(); },
      (dx, dy) => {
        put("sigma", model.get("sigma") + 0.05 * dx, 0, 2.5);
        put("mu", model.get("mu") + 0.05 * dy, -2, 2);
        model.save_changes();
      });

    const draw = () => {
      layout();
      const mu = model.get("mu"), sigma = model.get("sigma"), eps = model.get("eps"), chosen = model.get("chosen");
      controls.forEach((c) => c.update());
      eps.slice(0, DOTS).forEach((e, i) => {
        const followed = i === chosen;
        set(lines[i], {
          x1: x(0), y1: z(mu), x2: x(2.5), y2: z(mu + 2.5 * e), stroke: followed ? "var(--vl-orange)" : "var(--vl-quiet)",
          "stroke-width": followed ? 2.5 : 1, opacity: followed ? 1 : 0.45,
        });
        set(dots[i], { cx: x(sigma), cy: z(mu + sigma * e), r: followed ? 6 : 4, fill: followed ? "var(--vl-orange)" : "var(--vl-blue)" });
      });
      moving.append(dots[chosen], tag);
      const e = eps[chosen], at = mu + sigma * e;
      set(now, { x1: x(sigma), x2: x(sigma), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
      const side = sigma > 1.2 ? -1 : 1;
      set(tag, { x: x(sigma) + 11 * side, y: clamp(z(at) + (e < 0 ? 14 : -6), MARGIN.top + 12, HEIGHT - MARGIN.bottom - 6), "text-anchor": side < 0 ? "end" : "start" });
      tag.textContent = say("slope", { eps: show(e) });
      set(handle, { cx: x(sigma), cy: z(mu), "aria-valuenow": sigma, "aria-valuetext": say("handle_spoken", { mu: show(mu), sigma: show(sigma) }) });

      const values = Float64Array.from(eps, (v) => mu + sigma * v);
      const counts = new Uint32Array(BINS);
      for (const v of values) if (Math.abs(v) < LIMIT) counts[Math.floor((v + LIMIT) / BIN)]++;
      // One unit of length for both; a density too tall for the panel is cut at its edge.
      const length = linear([0, Math.max(0.42, 1.05 * density(0, 0, Math.max(sigma, 0.5)))], wide);
      counts.forEach((count, i) => {
        const end = Math.min(length(count / (values.length * BIN)), wide[1]);
        set(bars[i], { x: wide[0], y: z((i + 1) * BIN - LIMIT), width: end - wide[0], height: z(0) - z(BIN) - 0.5 });
      });
      let path = "";
      if (sigma > 0) for (let v = -LIMIT; v <= LIMIT + 1e-9; v += 0.05) path += `${path ? "L" : "M"}${Math.min(length(density(v, mu, sigma)), wide[1]).toFixed(1)} ${z(v).toFixed(1)}`;
      set(curve, { d: path });

      const seen = moments(values);
      formula.textContent = `z = \u03bc + \u03c3\u03b5 = ${show(mu)} + ${show(sigma)} \u00b7 (${show(e)}) = ${show(at)}`;
      slopes.textContent = say("slopes", { eps: show(e), half: show((sigma * e) / 2) });
      summary.textContent = say("summary", { count: many(values.length), mean: show(seen.mean), mu: show(mu), sd: show(seen.sd), sigma: show(sigma) });
      voice.say(`${formula.textContent}. ${summary.textContent}`);
    };
    return keepDrawn(model, drawing.parentElement, ["mu", "sigma", "chosen", "eps"], draw);
  },
};
