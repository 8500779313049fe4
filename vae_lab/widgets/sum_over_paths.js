// loss = (theta x - y)^2 + theta^2: a small graph with two paths from theta to the loss. Turn theta, and watch the products and their sum.

const PATH_NODES = { theta: "\u03b8", p: "p", error: "error", penalty: "penalty", loss: "loss" };
const PATH_EDGES = [["theta", "p"], ["p", "error"], ["error", "loss"], ["theta", "penalty"], ["penalty", "loss"]];
const PATHS = { error: ["theta>p", "p>error", "error>loss"], penalty: ["theta>penalty", "penalty>loss"] };
const PATH_PLAN = {
  wide: { height: 230, at: { theta: [0.08, 120], p: [0.34, 55], error: [0.62, 55], penalty: [0.48, 185], loss: [0.91, 120] } },
  tall: { height: 430, at: { theta: [0.5, 40], p: [0.25, 150], error: [0.25, 270], penalty: [0.75, 210], loss: [0.5, 390] } },
};
const PATH_BOX = [78, 46], CURVE_HEIGHT = 210, REACH_W = 3, RATE = 0.02;

// Values, the derivative on each edge, the product along each path, and their sum.
function pathsOf(w, x, y) {
  const p = w * x, error = (p - y) ** 2, penalty = w * w;
  const local = { "theta>p": x, "p>error": 2 * (p - y), "error>loss": 1, "theta>penalty": 2 * w, "penalty>loss": 1 };
  const product = Object.fromEntries(Object.entries(PATHS).map(([name, edges]) => [name, edges.reduce((all, edge) => all * local[edge], 1)]));
  return { values: { theta: w, p, error, penalty, loss: error + penalty }, local, product, gradient: product.error + product.penalty };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), factor = (v) => (v < 0 ? `(${show(v)})` : show(v));
    const controls = [["theta", -3, 3], ["x", -3, 3], ["y", -6, 6]].map(([trait, min, max]) => slider(model, { label: PATH_NODES[trait] ?? trait, trait, min, max, step: 0.01, spoken: (v) => say("spoken", { name: trait, value: show(v) }) }));
    const shown = choice(model, { label: say("paths"), trait: "path", choices: ["both", "error", "penalty"].map((key) => [key, say(`path_${key}`)]) });
    const graph = svg("svg", { role: "img", class: "vl-graph" }), curve = svg("svg", { role: "img" });
    const text = html("p", { class: "vl-explanation" }), voice = announcer();
    const downhill = button(say("downhill"), () => {
      const { gradient } = pathsOf(model.get("theta"), model.get("x"), model.get("y"));
      model.set("theta", clamp(Number((model.get("theta") - RATE * gradient).toFixed(4)), -REACH_W, REACH_W));
      model.save_changes();
    });
    const root = frame(say("title"), html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)), shown.root, graph, text, html("div", { class: "vl-row" }, downhill), curve, voice.root);
    el.append(root);
    const draw = () => {
      [...controls, shown].forEach((c) => c.update());
      const [w, x, y] = ["theta", "x", "y"].map((trait) => model.get(trait)), path = model.get("path"), state = pathsOf(w, x, y);
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), tall = width < 520, plan = PATH_PLAN[tall ? "tall" : "wide"], [bw, bh] = PATH_BOX;
      const at = (node) => [plan.at[node][0] * width, plan.at[node][1]], tone = { error: "var(--vl-blue)", penalty: "var(--vl-orange)" };
      set(graph, { width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}` });
      const of = (key) => (PATHS.error.includes(key) ? "error" : "penalty");
      graph.replaceChildren(...PATH_EDGES.map(([from, to]) => {
        const [x0, y0] = at(from), [x1, y1] = at(to), key = `${from}>${to}`, length = Math.hypot(x1 - x0, y1 - y0), ux = (x1 - x0) / length, uy = (y1 - y0) / length;
        const r = Math.min(bw / 2 / Math.abs(ux || 1e-9), bh / 2 / Math.abs(uy || 1e-9)) + 3, lit = path === "both" || path === of(key), end = [x1 - ux * r, y1 - uy * r];
        return svg("g", { opacity: lit ? 1 : 0.25 },
          svg("line", { x1: x0 + ux * r, y1: y0 + uy * r, x2: end[0] - ux * 9, y2: end[1] - uy * 9, stroke: tone[of(key)], "stroke-width": 2.5 }),
          svg("path", { d: `M${end}L${end[0] - ux * 11 - uy * 5} ${end[1] - uy * 11 + ux * 5}L${end[0] - ux * 11 + uy * 5} ${end[1] - uy * 11 - ux * 5}Z`, fill: tone[of(key)] }),
          svg("text", { x: (x0 + x1) / 2 + (tall ? 8 : key === "error>loss" ? 26 : 0), y: (y0 + y1) / 2 + (tall ? 4 : uy > 0.2 === (of(key) === "penalty") ? 22 : -9), "text-anchor": tall ? "start" : "middle", "data-edge": key, "font-weight": 650, style: `fill: ${tone[of(key)]}`, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 5 }, `\u00d7 ${show(state.local[key])}`));
      }), ...Object.keys(PATH_NODES).map((node) => {
        const [cx, cy] = at(node);
        return svg("g", {}, svg("rect", { x: cx - bw / 2, y: cy - bh / 2, width: bw, height: bh, rx: 5, fill: "var(--vl-raised)", stroke: "var(--vl-quiet)", "stroke-width": 1.3 }),
          svg("text", { x: cx, y: cy - 4, "text-anchor": "middle", "font-weight": 650 }, PATH_NODES[node]), svg("text", { x: cx, y: cy + 15, "text-anchor": "middle", "data-node": node }, show(state.values[node])));
      }));
      const { local } = state, values = {
        one: factor(local["p>error"]), x: factor(local["theta>p"]), through_error: show(state.product.error), two: factor(local["theta>penalty"]), through_penalty: show(state.product.penalty),
        sum_error: factor(state.product.error), sum_penalty: factor(state.product.penalty), gradient: show(state.gradient),
      };
      text.textContent = say(`sum_${path}`, values);
      set(graph, { "aria-label": say("graph_spoken", { ...values, theta: show(w), loss: show(state.values.loss) }) });

      // The loss over theta, with the gradient as the slope of its tangent.
      const most = Math.max(8, state.values.loss * 1.3), lx = linear([-REACH_W, REACH_W], [40, width - 8]), ly = linear([0, most], [CURVE_HEIGHT - 34, 12]);
      const loss = (v) => (v * x - y) ** 2 + v * v, points = Array.from({ length: 121 }, (_, i) => -REACH_W + i * 0.05), line = (v) => state.values.loss + state.gradient * (v - w);
      const clip = uniqueId("clip");
      set(curve, { width, height: CURVE_HEIGHT, viewBox: `0 0 ${width} ${CURVE_HEIGHT}`, "aria-label": say("curve_spoken", values) });
      curve.replaceChildren(svg("clipPath", { id: clip }, svg("rect", { x: 40, y: 10, width: width - 48, height: CURVE_HEIGHT - 44 })),
        svg("path", { class: "vl-axis", d: `M40 10V${CURVE_HEIGHT - 34}H${width - 8}` }), ...bottomAxis(lx, CURVE_HEIGHT - 34, [-3, -2, -1, 0, 1, 2, 3]), svg("text", { x: 2, y: 20 }, "loss"), svg("text", { x: width - 14, y: CURVE_HEIGHT - 2 }, PATH_NODES.theta),
        svg("g", { "clip-path": `url(#${clip})` }, svg("path", { d: `M${points.map((v) => `${lx(v).toFixed(1)} ${ly(loss(v)).toFixed(1)}`).join("L")}`, stroke: "var(--vl-quiet)", "stroke-width": 2, fill: "none" }),
          svg("path", { d: `M${lx(w - 1)} ${ly(line(w - 1))}L${lx(w + 1)} ${ly(line(w + 1))}`, stroke: "var(--vl-green)", "stroke-width": 3, fill: "none" }), svg("circle", { cx: lx(w), cy: ly(state.values.loss), r: 6, fill: "var(--vl-green)" })));
      voice.say(text.textContent);
    };
    return keepDrawn(model, root, ["theta", "x", "y", "path"], draw);
  },
};
