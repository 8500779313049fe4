// Two digits, drawn or chosen; two models. The encoders run in the page: where they put a digit, the VAE's cloud around
// it, what comes back, and what lies on the way from one digit to the other.

const WIDE_PLANE = 4, WAY = 7, FLICKER = 250, CALM_FLICKER = 1200, TRAIL = 12;
const INK_MARKS = ["A", "B"];
const LENS = { side: 0.36, reach: 3, least: 1.5 }; // share of the plane; how many sigma it reaches; the least zoom worth a lens

// One model: x -> {mu, sigma} (sigma null for the autoencoder), z -> pixels.
function coder(packed) {
  const encode = network(packed.encoder), decode = network(packed.decoder);
  return {
    codes: halfFloats(packed.codes),
    encode: (x) => { const y = encode(x); return { mu: [y[0], y[1]], sigma: y.length > 2 ? [Math.exp(y[2] / 2), Math.exp(y[3] / 2)] : null }; },
    decode: (z) => Float32Array.from(decode(z), sigmoid),
  };
}

function smallPicture(label) {
  const canvas = html("canvas", { class: "vl-digit-picture", width: SIDE, height: SIDE, ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  return { canvas, put: (pixels) => ink(canvas, pixels) };
}

// A lens over the plane's emptiest corner: the cloud of the digit in hand, with the training images near it. `dot` stands in
// it, and goes where `move` puts it; null where a lens is not worth it.
function cloudLens(say, { mu, sigma }, code, labels, dot, width, places) {
  const side = LENS.side * width, reach = LENS.reach * Math.max(...sigma), zoom = (LENS.side * WIDE_PLANE) / reach;
  if (zoom < LENS.least) return null;
  const [left, top] = emptyCorner(width, side, places);
  const x = linear([mu[0] - reach, mu[0] + reach], [left, left + side]), y = linear([mu[1] - reach, mu[1] + reach], [top + side, top]);
  const inside = ([a, b]) => Math.abs(a - mu[0]) < reach && Math.abs(b - mu[1]) < reach;
  const near = labels.flatMap((digit, i) => { const at = [code.codes[2 * i], code.codes[2 * i + 1]]; return inside(at) ? [svg("circle", { cx: x(at[0]), cy: y(at[1]), r: 2.5, fill: DIGIT_HUES[digit], opacity: 0.6 })] : []; });
  const root = svg("g", { class: "vl-lens" }, svg("rect", { x: left, y: top, width: side, height: side, rx: 6, fill: "var(--vl-paper)", stroke: "var(--vl-ink)" }), ...near,
    ...[1, 2].map((r) => svg("ellipse", { cx: x(mu[0]), cy: y(mu[1]), rx: (r * sigma[0] * side) / (2 * reach), ry: (r * sigma[1] * side) / (2 * reach), fill: "var(--vl-orange)", "fill-opacity": 0.2, stroke: "var(--vl-orange)" })),
    svg("circle", { cx: x(mu[0]), cy: y(mu[1]), r: 3, fill: "var(--vl-orange)" }), dot,
    svg("text", { x: left + 6, y: top + 16, "font-weight": 650, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4 }, say("zoom", { times: show(zoom, zoom < 10 ? 1 : 0) })));
  return { root, move: (z) => redraw(dot, ...(z && inside(z) ? [mark("circle", { class: "vl-near", cx: x(z[0]), cy: y(z[1]), r: 4.5, fill: "var(--vl-green)" })] : [])) };
}

// One half of the view: plane, reconstructions, the way between the digits, the trail of prior draws.
function modelHalf(say, name, code, labels) {
  const plane = svg("svg", { role: "img" });
  const back = smallPicture(say("reconstruction")), drawn = smallPicture(say("draw")), way = Array.from({ length: WAY }, () => smallPicture()), trail = Array.from({ length: TRAIL }, () => smallPicture());
  const wayRow = html("div", { class: "vl-strip", role: "img", "aria-label": say("way") }, ...way.map((p) => p.canvas));
  const trailRow = html("div", { class: "vl-strip", role: "img", "aria-label": say("trail") }, ...trail.map((p) => p.canvas));
  const labelled = (text, node) => html("figure", { class: "vl-labelled" }, node, html("figcaption", { class: "vl-quiet" }, text));
  const cost = html("p", { class: "vl-cost" });
  const root = html("section", { class: "vl-half", "aria-label": say(name) }, html("p", { class: "vl-title" }, say(name)), plane,
    html("div", { class: "vl-row" }, labelled(say("reconstruction"), back.canvas), labelled(say(code.noisy ? "draw" : "at_mix"), drawn.canvas)), cost,
    html("p", { class: "vl-quiet" }, say("way")), wayRow, html("p", { class: "vl-quiet" }, say("trail")), trailRow);
  const dot = svg("g"), nearDot = svg("g"); // the draw from the cloud, in the plane and under the lens
  let still = null, stillWidth = 0, last = null;
  // All that a flicker changes: where the draw stands, and the digit that it becomes.
  const flicker = (flick) => {
    const { now, z, x, y, inside, lens } = last, z2 = now.sigma && flick ? [0, 1].map((k) => now.mu[k] + now.sigma[k] * flick[k]) : null;
    if (!z2 && last.mixed) return;
    last.mixed = !z2;
    redraw(dot, ...(z2 ? [mark("circle", { class: "vl-flick", cx: x(inside(z2[0])), cy: y(inside(z2[1])), r: 4.5, fill: "var(--vl-green)" })] : []));
    lens?.move(z2);
    drawn.put(code.decode(z2 ?? z));
  };
  const draw = ({ first, second, active, mix, flick, priors }) => {
    const width = root.clientWidth, x = linear([-WIDE_PLANE, WIDE_PLANE], [0, width]), y = linear([-WIDE_PLANE, WIDE_PLANE], [width, 0]), unit = width / (2 * WIDE_PLANE);
    if (width !== stillWidth) {
      stillWidth = width;
      still = svg("g", { class: "vl-codes", opacity: 0.5 }, ...codesOfDigits(labels.map((_, i) => [code.codes[2 * i], code.codes[2 * i + 1]]), labels, WIDE_PLANE, x, y, 3));
    }
    const codes = [first, second].map((pixels) => code.encode(pixels)), now = codes[active], inside = (v) => clamp(v, -WIDE_PLANE, WIDE_PLANE);
    const between = (t) => [0, 1].map((k) => (1 - t) * codes[0].mu[k] + t * codes[1].mu[k]), z = between(mix);
    const lens = now.sigma && cloudLens(say, now, code, labels, nearDot, width, [...codes.map((c) => c.mu), z].map(([a, b]) => [x(inside(a)), y(inside(b))]));
    set(plane, { width, height: width, viewBox: `0 0 ${width} ${width}` });
    plane.replaceChildren(svg("rect", { class: "vl-axis", width, height: width, rx: 4 }), still,
      ...[1, 2].map((r) => svg("circle", { class: "vl-grid", cx: x(0), cy: y(0), r: r * unit, "stroke-dasharray": "3 4" })),
      ...priors.map((p) => svg("circle", { class: "vl-trail", cx: x(inside(p[0])), cy: y(inside(p[1])), r: 4, fill: "var(--vl-purple)" })),
      svg("path", { d: `M${x(inside(codes[0].mu[0]))} ${y(inside(codes[0].mu[1]))}L${x(inside(codes[1].mu[0]))} ${y(inside(codes[1].mu[1]))}`, stroke: "var(--vl-ink)", "stroke-width": 1.5, "stroke-dasharray": "5 4" }),
      ...codes.flatMap(({ mu, sigma }, k) => [
        ...(sigma ? [1, 2].map((r) => svg("ellipse", { cx: x(mu[0]), cy: y(mu[1]), rx: r * unit * sigma[0], ry: r * unit * sigma[1], fill: "var(--vl-orange)", "fill-opacity": 0.2, stroke: "var(--vl-orange)" })) : []),
        svg("circle", { class: "vl-code", "data-mu": mu, cx: x(inside(mu[0])), cy: y(inside(mu[1])), r: 4, fill: "var(--vl-orange)" }),
        svg("text", { x: x(inside(mu[0])) + (mu[0] > 3 ? -16 : 8), y: y(inside(mu[1])) - 7, "font-weight": 700, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4 }, INK_MARKS[k])]),
      svg("circle", { cx: x(inside(z[0])), cy: y(inside(z[1])), r: 4.5, fill: "var(--vl-blue)" }), dot, ...(lens ? [lens.root] : []));
    last = { now, z, x, y, inside, lens, mixed: false };
    flicker(flick);
    back.put(code.decode(now.mu));
    way.forEach((picture, k) => picture.put(code.decode(between(k / (WAY - 1)))));
    trail.forEach((picture, k) => { picture.canvas.hidden = k >= priors.length; if (k < priors.length) picture.put(code.decode(priors[k])); });
    const rate = now.sigma ? now.mu.reduce((sum, m, k) => sum + 0.5 * (m * m + now.sigma[k] ** 2 - 1) - Math.log(now.sigma[k]), 0) : null;
    const values = { one: show(now.mu[0]), two: show(now.mu[1]), spread_one: now.sigma ? show(now.sigma[0]) : "", spread_two: now.sigma ? show(now.sigma[1]) : "", rate: rate === null ? "" : show(rate) };
    cost.textContent = say(now.sigma ? "code_cloud" : "code_point", values);
    set(plane, { "aria-label": `${say("plane")} ${cost.textContent}` });
    return cost.textContent;
  };
  return { root, draw, flicker };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), labels = [...model.get("labels")].map(Number), examples = bytesOf(model.get("digits"));
    const example = (digit) => Float32Array.from(examples.subarray(digit * 784, (digit + 1) * 784), (v) => v / 255);
    const put = (trait, value) => { model.set(trait, value); model.save_changes(); };
    const active = () => model.get("active"), mine = (trait) => model.get(trait)[active()];
    const mineWith = (trait, value) => model.get(trait).map((old, k) => (k === active() ? value : old));
    const pixelsOf = (k) => { const strokes = model.get("strokes")[k]; return strokes.length ? inkOf(strokes) : example(model.get("chosen")[k]); };
    const pad = drawingPad(say, { strokes: () => mine("strokes"), change: (strokes) => put("strokes", mineWith("strokes", strokes)) });
    const seen = smallPicture(say("seen"));
    const which = choice(model, { label: say("which"), trait: "active", choices: [[0, say("first")], [1, say("second")]] });
    const picks = Array.from({ length: 10 }, (_, digit) => {
      const node = button(String(digit), () => { put("strokes", mineWith("strokes", [])); put("chosen", mineWith("chosen", digit)); });
      node.setAttribute("aria-label", say("take", { digit }));
      return node;
    });
    const mix = slider(model, { label: say("mix"), trait: "mix", min: 0, max: 1, step: 0.01, spoken: (v) => say("mix_spoken", { percent: Math.round(100 * v) }) });
    const clear = button(say("clear"), () => put("strokes", mineWith("strokes", [])));
    let flick = null, timer = 0, priors = [];
    const stop = () => { clearInterval(timer); timer = 0; flick = null; };
    const flicker = button(say("flicker"), () => {
      if (timer) stop();
      else {
        const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, next = () => { if (!root.isConnected) return stop(); flick = normals(2); halves.forEach((half) => half.flicker(flick)); };
        timer = setInterval(next, calm ? CALM_FLICKER : FLICKER);
        next();
      }
      draw();
    });
    const prior = button(say("prior"), () => { priors = [...priors, normals(2)].slice(-TRAIL); draw(); });
    const codes = ["autoencoder", "vae"].map((name) => [name, { ...coder(model.get(name)), noisy: name === "vae" }]);
    const halves = codes.map(([name, code]) => modelHalf(say, name, code, labels));
    const voice = announcer();
    const root = frame(say("title"), which.root,
      html("div", { class: "vl-row vl-desk" }, pad.root, html("div", {}, html("p", { class: "vl-quiet" }, say("seen")), seen.canvas, html("div", { class: "vl-row" }, clear))),
      html("div", { class: "vl-row", role: "group", "aria-label": say("or_take") }, html("span", { "aria-hidden": "true" }, say("or_take")), ...picks),
      html("div", { class: "vl-controls" }, mix.root), html("div", { class: "vl-row" }, flicker, prior), html("div", { class: "vl-halves" }, ...halves.map((h) => h.root)),
      html("p", { class: "vl-quiet vl-legend" }, say("legend")), voice.root);
    el.append(root);
    const draw = () => {
      [which, mix].forEach((c) => c.update());
      pad.draw();
      const pixels = [pixelsOf(0), pixelsOf(1)];
      seen.put(pixels[active()]);
      picks.forEach((node, digit) => node.setAttribute("aria-pressed", String(!mine("strokes").length && mine("chosen") === digit)));
      flicker.setAttribute("aria-pressed", String(Boolean(timer)));
      const said = halves.map((half) => half.draw({ first: pixels[0], second: pixels[1], active: active(), mix: model.get("mix"), flick, priors }));
      if (!timer) voice.say(said.join(" "));
    };
    const leave = keepDrawn(model, root, ["strokes", "chosen", "active", "mix"], draw);
    return () => { stop(); leave(); };
  },
};
