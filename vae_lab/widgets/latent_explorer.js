// One point z, two planes, two decoders; or the reader's own model, one plane of its latent space, decoded in the kernel.
// Each plane shows where its model put the training images.

const LIMIT = 3.5, SIDE = 28, MAP = 11, PATIENCE = 900; // milliseconds that the kernel may take

// One model: its decoder, its codes and its half of the picture.
function half(say, model, trait, classify, labels) {
  const name = say(trait);
  const packed = model.get(trait), own = trait === "own", decode = own ? null : network(packed);
  const codes = halfFloats(packed.codes), latents = packed.latents ?? 2, count = codes.length / latents;
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

  let x, y, width = 0, seen = "", mapped = null, late = 0;
  const layout = ([first, second]) => {
    const space = root.clientWidth, view = `${space} ${first} ${second}`;
    if (view === seen) return;
    [width, seen] = [space, view];
    x = linear([-LIMIT, LIMIT], [0, width]);
    y = linear([-LIMIT, LIMIT], [width, 0]);
    set(drawing, { width, height: width, viewBox: `0 0 ${width} ${width}` });
    set(area, { width, height: width });
    const points = Array.from({ length: count }, (_, i) => [codes[latents * i + first], codes[latents * i + second]]);
    still.replaceChildren(
      svg("rect", { class: "vl-axis", width, height: width, rx: 4 }),
      ...[1, 2, 3].map((r) => svg("circle", { class: "vl-grid", cx: x(0), cy: y(0), r: x(r) - x(0), "stroke-dasharray": "3 4" })),
      svg("g", { class: "vl-codes" }, ...codesOfDigits(points, labels, LIMIT, x, y, width < 220 ? 3 : 4)));
  };

  // What each place of the plane decodes to: once, when it is first asked for.
  const drawMap = () => {
    const sent = model.get("map");
    if (mapped === sent || (own && !sent.pixels)) return;
    mapped = sent;
    const context = map.getContext("2d"), bytes = own ? bytesOf(sent.pixels) : null;
    const one = html("canvas", { width: SIDE, height: SIDE });
    const at = (k) => ((k + 0.5) / MAP) * 2 * LIMIT - LIMIT;
    context.clearRect(0, 0, map.width, map.height);
    for (let row = 0; row < MAP; row++) for (let column = 0; column < MAP; column++) {
      const from = (row * MAP + column) * SIDE * SIDE;
      ink(one, own ? Float32Array.from(bytes.subarray(from, from + SIDE * SIDE), (byte) => byte / 255) : picture([at(column), -at(row)]));
      context.drawImage(one, column * SIDE, row * SIDE);
    }
  };

  // The picture of z: computed here, or what the kernel has sent; null until it has.
  const decoded = (z) => {
    if (!own) return picture(z);
    const sent = model.get("decoded");
    if (String(sent.z) !== String(z)) return null;
    bytesOf(sent.pixels).forEach((byte, i) => { pixels[i] = byte / 255; });
    return pixels;
  };

  const draw = () => {
    const z = model.get("z"), behind = model.get("behind"), [first, second] = model.get("axes");
    layout([first, second]);
    if (behind === "map") drawMap();
    root.classList.toggle("vl-shows-map", behind === "map");
    const [a, b] = [z[first], z[second]];
    const spoken = say("point_spoken", { first: first + 1, one: show(a), second: second + 1, two: show(b) });
    set(handle, { cx: x(a), cy: y(b), "aria-valuenow": a, "aria-valuetext": spoken });
    set(cross, { d: `M${x(a)} 0V${width}M0 ${y(b)}H${width}` });

    clearTimeout(late);
    const found = decoded(z);
    if (!found) {
      late = setTimeout(() => { reading.textContent = say("asleep"); nearest.textContent = ""; }, PATIENCE);
      return "";
    }
    ink(image, found);
    const logits = classify(pixels), top = Math.max(...logits);
    let total = 0, guess = 0;
    logits.forEach((value, digit) => { guesses[digit] = Math.exp(value - top); total += guesses[digit]; if (value > logits[guess]) guess = digit; });
    const sure = Math.round((100 * guesses[guess]) / total);
    let close = Infinity, which = 0;
    for (let i = 0; i < count; i++) {
      let d = 0;
      for (let k = 0; k < latents; k++) d += (codes[latents * i + k] - z[k]) ** 2;
      if (d < close) { close = d; which = i; }
    }
    const values = { digit: guess, percent: sure, label: labels[which], distance: show(Math.sqrt(close)) };
    const reads = packed.reads ?? true; // the classifier has seen MNIST's digits alone
    reading.textContent = reads ? say("reading", values) : "";
    nearest.textContent = labels.length ? say("nearest", values) : say("nearest_unknown", values);
    image.setAttribute("aria-label", reads ? say(`decoded_${trait}`, values) : say("decoded_unread"));
    return reads ? say(`spoken_${trait}`, values) : nearest.textContent;
  };

  const settle = (a, b) => {
    const [first, second] = model.get("axes"), z = [...model.get("z")];
    [z[first], z[second]] = [inside(a), inside(b)];
    model.set("z", z);
    model.save_changes();
  };
  const now = () => { const z = model.get("z"); return model.get("axes").map((axis) => z[axis]); };
  draggable(area, handle, (px, py) => settle(x.invert(px), y.invert(py)),
    (dx, dy) => { const [a, b] = now(); settle(a + 0.1 * dx, b + 0.1 * dy); });
  return { root, draw, stop: () => clearTimeout(late) };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), classify = network(model.get("classifier"));
    const labels = Uint8Array.from(model.get("labels"), Number);
    const own = Boolean(model.get("own").codes);
    const halves = (own ? ["own"] : ["autoencoder", "vae"]).map((trait) => half(say, model, trait, classify, labels));
    const axis = (side) => {
      const shown = () => model.get("axes")[side];
      const made = slider(model, {
        label: named(shown()), trait: "z", min: -LIMIT, max: LIMIT, step: 0.01, read: (z) => z[shown()], write: (v, z) => z.map((old, i) => (i === shown() ? v : old)),
      });
      const label = made.root.querySelector("label");
      return { root: made.root, update: () => { label.textContent = named(shown()); made.update(); } };
    };
    const controls = [axis(0), axis(1)], axes = axesChoice(model, say), walk = walker(model);
    const behind = choice(model, { label: say("behind"), trait: "behind", choices: [["codes", say("codes")], ["map", say("map")]] });
    const draws = button(say("again"), () => {
      walk.stop();
      model.set("z", Array.from(normals(model.get("z").length), inside));
      model.save_changes();
    });
    const voice = announcer();
    const root = frame(say(own ? "title_own" : "title"),
      axes.root, html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)),
      html("div", { class: "vl-row" }, draws, button(say("walk"), walk.go), behind.root),
      html("div", { class: "vl-halves" }, ...halves.map((h) => h.root)),
      html("p", { class: "vl-quiet" }, say(own ? "legend_own" : "legend")),
      voice.root);
    el.append(root);
    const draw = () => {
      [...controls, axes, behind].forEach((c) => c.update());
      voice.say(halves.map((h) => h.draw()).join(" "));
    };
    const leave = keepDrawn(model, root, ["z", "axes", "behind", "decoded", "map"], draw);
    return () => { walk.stop(); halves.forEach((h) => h.stop()); leave(); };
  },
};
