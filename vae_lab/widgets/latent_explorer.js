// One point z, two planes, two decoders. Each plane shows where its model put 1,000 training images.

const LIMIT = 3.5, SIDE = 28, MAP = 11;

// One model: its decoder, its codes and its half of the picture.
function half(say, model, trait, classify, labels) {
  const name = say(trait);
  const packed = model.get(trait), decode = network(packed), codes = halfFloats(packed.codes);
  const pixels = new Float32Array(SIDE * SIDE), guesses = new Float64Array(10);

  const drawing = svg("svg", { role: "group", "aria-label": say(`plane_${trait}`) });
  const map = html("canvas", { class: "vl-map", width: MAP * SIDE, height: MAP * SIDE, "aria-hidden": "true" });
  const image = html("canvas", { class: "vl-image", width: SIDE, height: SIDE, role: "img" });
  const reading = html("p", { class: "vl-reading" }), nearest = html("p", { class: "vl-nearest vl-quiet" });
  const root = html("section", { class: "vl-half", "aria-label": name },
    html("p", { class: "vl-title" }, name), html("div", { class: "vl-plane" }, map, drawing), image, reading, nearest);
  const handle = svg("circle", {
    class: "vl-handle", r: 9, tabindex: 0, role: "slider", "aria-label": say(`point_${trait}`),
    "aria-valuemin": -LIMIT, "aria-valuemax": LIMIT,
  });
  const area = svg("rect", { class: "vl-drag", x: 0, y: 0, fill: "transparent" });
  const still = svg("g", { "aria-hidden": "true" }), cross = svg("path", { class: "vl-cross", "aria-hidden": "true" });
  drawing.append(still, area, cross, handle);

  // Squash the logits of one z to pixels in [0, 1].
  const picture = (z) => {
    const logits = decode(z);
    for (let i = 0; i < pixels.length; i++) pixels[i] = sigmoid(logits[i]);
    return pixels;
  };

  let x, y, width = 0, mapped = false;
  const layout = () => {
    const space = root.clientWidth;
    if (space === width) return;
    width = space;
    x = linear([-LIMIT, LIMIT], [0, width]);
    y = linear([-LIMIT, LIMIT], [width, 0]);
    set(drawing, { width, height: width, viewBox: `0 0 ${width} ${width}` });
    set(area, { width, height: width });
    still.replaceChildren(
      svg("rect", { class: "vl-axis", width, height: width, rx: 4 }),
      ...[1, 2, 3].map((r) => svg("circle", { class: "vl-grid", cx: x(0), cy: y(0), r: x(r) - x(0), "stroke-dasharray": "3 4" })),
      svg("g", { class: "vl-codes" }, ...codesOfDigits(codes, labels, LIMIT, x, y, width < 220 ? 3 : 4)));
  };

  // What each place of the plane decodes to: once, when it is first asked for.
  const drawMap = () => {
    if (mapped) return;
    mapped = true;
    const context = map.getContext("2d");
    const one = html("canvas", { width: SIDE, height: SIDE });
    for (let row = 0; row < MAP; row++) for (let column = 0; column < MAP; column++) {
      const at = (k) => ((k + 0.5) / MAP) * 2 * LIMIT - LIMIT;
      ink(one, picture([at(column), -at(row)]));
      context.drawImage(one, column * SIDE, row * SIDE);
    }
  };

  const draw = () => {
    layout();
    const z = model.get("z"), behind = model.get("behind");
    if (behind === "map") drawMap();
    root.classList.toggle("vl-shows-map", behind === "map");
    const spoken = say("point_spoken", { one: show(z[0]), two: show(z[1]) });
    set(handle, { cx: x(z[0]), cy: y(z[1]), "aria-valuenow": z[0], "aria-valuetext": spoken });
    set(cross, { d: `M${x(z[0])} 0V${width}M0 ${y(z[1])}H${width}` });

    ink(image, picture(z));
    const logits = classify(pixels), top = Math.max(...logits);
    let total = 0, guess = 0;
    logits.forEach((value, digit) => { guesses[digit] = Math.exp(value - top); total += guesses[digit]; if (value > logits[guess]) guess = digit; });
    const sure = Math.round((100 * guesses[guess]) / total);
    let close = Infinity, which = 0;
    for (let i = 0; i < labels.length; i++) {
      const d = (codes[2 * i] - z[0]) ** 2 + (codes[2 * i + 1] - z[1]) ** 2;
      if (d < close) { close = d; which = i; }
    }
    const values = { digit: guess, percent: sure, label: labels[which], distance: show(Math.sqrt(close)) };
    reading.textContent = say("reading", values);
    nearest.textContent = say("nearest", values);
    image.setAttribute("aria-label", say(`decoded_${trait}`, values));
    return say(`spoken_${trait}`, values);
  };

  const settle = (a, b) => {
    const round = (v) => clamp(Math.round(100 * v) / 100, -LIMIT, LIMIT);
    model.set("z", [round(a), round(b)]);
    model.save_changes();
  };
  draggable(area, handle, (px, py) => settle(x.invert(px), y.invert(py)),
    (dx, dy) => settle(model.get("z")[0] + 0.1 * dx, model.get("z")[1] + 0.1 * dy));
  return { root, draw };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), classify = network(model.get("classifier"));
    const labels = Uint8Array.from(model.get("labels"), Number);
    const halves = ["autoencoder", "vae"].map((trait) => half(say, model, trait, classify, labels));
    const axis = (label, k) => slider(model, {
      label, trait: "z", min: -LIMIT, max: LIMIT, step: 0.01, read: (z) => z[k], write: (v, z) => z.map((old, i) => (i === k ? v : old)),
    });
    const controls = [axis("z\u2081", 0), axis("z\u2082", 1)];
    const behind = choice(model, { label: say("behind"), trait: "behind", choices: [["codes", say("codes")], ["map", say("map")]] });
    const draws = button(say("again"), () => {
      model.set("z", Array.from(normals(2), (v) => clamp(Math.round(100 * v) / 100, -LIMIT, LIMIT)));
      model.save_changes();
    });
    const voice = announcer();
    const root = frame(say("title"),
      html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)), html("div", { class: "vl-row" }, draws, behind.root),
      html("div", { class: "vl-halves" }, ...halves.map((h) => h.root)),
      html("p", { class: "vl-quiet" }, say("legend")),
      voice.root);
    el.append(root);
    const draw = () => {
      [...controls, behind].forEach((c) => c.update());
      voice.say(halves.map((h) => h.draw()).join(" "));
    };
    return keepDrawn(model, root, ["z", "behind"], draw);
  },
};
