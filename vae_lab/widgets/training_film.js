// The book's VAE and a patient beside it, after each of 25 epochs: codes, clouds, decoded map and the loss in its parts.

const FILM_SIDE = 14, FILM_MAP = 5, FILM_HUES = [0.58, 0.98, 0.36, 0.13, 0.53, 0.86, 0.0, 0.07, 0.73, 0.24];

// Everything of one model: codes [frames, images, 4] (mu and sigma), maps [frames, 25, 196], and curves.
function reel({ codes, map, reconstruction, kl }) {
  const bytes = bytesOf(map), pixels = new Float32Array(2 * bytes.length);
  bytes.forEach((byte, i) => { pixels[2 * i] = (byte >> 4) / 15; pixels[2 * i + 1] = (byte & 15) / 15; });
  return { codes: halfFloats(codes), pixels, reconstruction, kl };
}

function filmHalf(say, labels, name) {
  const { canvas, ready } = sharpCanvas({ "aria-label": say("plane") });
  const curves = { reconstruction: svg("svg", { role: "img" }), kl: svg("svg", { role: "img" }) };
  const title = html("p", { class: "vl-title" }), text = html("p", { class: "vl-film-text" });
  const root = html("section", { class: `vl-half vl-film-${name}` }, title, canvas, text, ...Object.values(curves));
  const draw = (heading, shown, epoch, colours) => {
    const size = root.clientWidth, context = ready(size, size), count = labels.length, from = epoch * count * 4, codes = shown.codes.subarray(from, from + 4 * count);
    let far = 0, spread = 0;
    for (let i = 0; i < count; i++) { far = Math.max(far, Math.abs(codes[4 * i]), Math.abs(codes[4 * i + 1])); spread += (codes[4 * i + 2] + codes[4 * i + 3]) / (2 * count); }
    const limit = [3.5, 5, 7, 10, 15, 25, 50, 100, 1000].find((l) => far < l) ?? 100000, unit = size / (2 * limit);
    const x = linear([-limit, limit], [0, size]), y = linear([-limit, limit], [size, 0]);
    for (let k = 0; k < FILM_MAP * FILM_MAP; k++) { // each picture stands at its own z, one unit from the next
      stamp(context, shown.pixels, ((epoch * FILM_MAP * FILM_MAP) + k) * FILM_SIDE * FILM_SIDE, FILM_SIDE, x((k % FILM_MAP) - 2.5), y(2.5 - Math.floor(k / FILM_MAP)), unit, colours, 0.45);
    }
    context.strokeStyle = colours.quiet;
    context.setLineDash([4, 4]);
    for (const r of [1, 2]) { context.beginPath(); context.arc(x(0), y(0), r * unit, 0, 2 * Math.PI); context.stroke(); }
    context.setLineDash([]);
    for (let i = 0; i < count; i++) {
      const [a, b, s, t] = codes.subarray(4 * i, 4 * i + 4), hue = FILM_HUES[labels[i]];
      context.fillStyle = colours.hue(hue, 0.95);
      context.strokeStyle = colours.hue(hue, 0.55);
      context.beginPath();
      context.arc(x(a), y(b), 2.5, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
      context.ellipse(x(a), y(b), Math.min(unit * s, 4 * size), Math.min(unit * t, 4 * size), 0, 0, 2 * Math.PI);
      context.stroke();
    }
    context.fillStyle = colours.quiet;
    context.font = "12px sans-serif";
    context.fillText(`\u00b1${limit}`, 5, size - 6);
    title.textContent = heading;
    root.setAttribute("aria-label", heading);
    for (const [key, drawing] of Object.entries(curves)) {
      const words = epoch ? say(`now_${key}`, { value: show(shown[key][epoch - 1]) }) : say(`curve_${key}`);
      epochChart(drawing, size, shown[key], { title: words, below: say("epoch"), now: epoch });
      set(drawing, { "aria-label": words });
    }
    const values = { sigma: show(spread, 3), far: show(far, 1) };
    text.textContent = say(epoch ? "state" : "state_start", values);
    set(canvas, { "aria-label": text.textContent });
    return `${heading}: ${text.textContent}`;
  };
  return { root, draw };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), labels = [...model.get("labels")].map(Number), kept = model.get("reels"), reels = {};
    const reelOf = (name) => (reels[name] ??= reel(kept[name]));
    const patients = Object.keys(kept).filter((name) => name !== "VAE"), last = model.get("epochs");
    const epoch = slider(model, { label: say("slider"), trait: "epoch", min: 0, max: last, step: 1, text: (v) => say("of", { epoch: v, last }) });
    const patient = choice(model, { label: say("beside"), trait: "patient", choices: patients.map((name) => [name, say(`name_${name}`)]) });
    const halves = ["sound", "patient"].map((name) => filmHalf(say, labels, name));
    const voice = announcer();
    const root = frame(say("title"), patient.root, epoch.root, html("div", { class: "vl-halves vl-film" }, ...halves.map((h) => h.root)), html("p", { class: "vl-quiet vl-legend" }, say("legend")), voice.root);
    el.append(root);
    const draw = () => {
      epoch.update();
      patient.update();
      const colours = palette(root), now = model.get("epoch"), name = model.get("patient");
      const said = [halves[0].draw(say("name_VAE"), reelOf("VAE"), now, colours), halves[1].draw(say(`name_${name}`), reelOf(name), now, colours)];
      voice.say(said.join(" "));
    };
    return keepDrawn(model, root, ["epoch", "patient"], draw);
  },
};
