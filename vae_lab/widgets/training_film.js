// The book's VAE and a patient beside it, after each of 25 epochs: codes, clouds, decoded map and the loss in its parts.

const FILM_SIDE = 14, FILM_MAP = 5, FILM_LIMITS = [3.5, 5, 7, 10, 15, 25, 50, 100, 200, 500, 1000];
const FILM_LENS = { side: 0.42, reach: 3, least: 1.5 }; // share of the plane; how far from the middle it reaches; the least zoom worth a lens
const COLLAPSED = 0.01; // nats; what z says about an image is at most the mean KL
const SMALLEST = 2 ** -25; // a sigma that is kept as 0 is no larger than this
const FILM_HUES = [0.58, 0.98, 0.36, 0.13, 0.53, 0.86, 0.0, 0.07, 0.73, 0.24];

// Everything of one model: codes [frames, images, 4] (mu and sigma), maps [frames, 25, 196], and curves.
function reel({ codes, map, reconstruction, kl }) {
  const bytes = bytesOf(map), pixels = new Float32Array(2 * bytes.length);
  bytes.forEach((byte, i) => { pixels[2 * i] = (byte >> 4) / 15; pixels[2 * i + 1] = (byte & 15) / 15; });
  return { codes: halfFloats(codes), pixels, reconstruction, kl };
}

// What 100 codes come to: how far they lie from the middle and from the axes, the mean sigma, and the mean KL by the right
// formula, nats per image; `more` where a sigma was too small to be kept, and the KL is larger than this.
function filmNumbers(codes) {
  const found = { far: 0, reach: 0, sigma: 0, kl: 0, more: false }, count = codes.length / 4;
  for (let i = 0; i < codes.length; i += 4) {
    const mu = codes.subarray(i, i + 2), sigma = codes.subarray(i + 2, i + 4);
    found.far = Math.max(found.far, Math.hypot(...mu));
    found.reach = Math.max(found.reach, ...mu.map(Math.abs));
    found.sigma += (sigma[0] + sigma[1]) / (2 * count);
    for (const k of [0, 1]) found.kl += (0.5 * (mu[k] ** 2 + sigma[k] ** 2 - 1) - Math.log(Math.max(sigma[k], SMALLEST))) / count;
    found.more ||= sigma.includes(0);
  }
  return found;
}

// The plane from -limit to limit, in a square of `size` pixels at [left, top]: decoded map, prior, codes and clouds.
function filmPlane(context, { left, top, size, limit }, shown, epoch, codes, labels, colours) {
  const unit = size / (2 * limit), x = linear([-limit, limit], [left, left + size]), y = linear([-limit, limit], [top + size, top]);
  const pictures = FILM_MAP * FILM_MAP, at = (k) => [x((k % FILM_MAP) - 2.5), y(2.5 - Math.floor(k / FILM_MAP))]; // each at its own z, one unit from the next
  stamps(context, shown.pixels, epoch * pictures * FILM_SIDE * FILM_SIDE, pictures, { side: FILM_SIDE, size: unit, at }, colours, 0.45);
  context.strokeStyle = colours.quiet;
  context.setLineDash([4, 4]);
  for (const r of [1, 2]) { context.beginPath(); context.arc(x(0), y(0), r * unit, 0, 2 * Math.PI); context.stroke(); }
  context.setLineDash([]);
  labels.forEach((digit, i) => {
    const [a, b, s, t] = codes.subarray(4 * i, 4 * i + 4), hue = FILM_HUES[digit];
    context.fillStyle = colours.hue(hue, 0.95);
    context.strokeStyle = colours.hue(hue, 0.55);
    context.beginPath();
    context.arc(x(a), y(b), 2.5, 0, 2 * Math.PI);
    context.fill();
    context.beginPath();
    context.ellipse(x(a), y(b), Math.min(unit * s, 4 * size), Math.min(unit * t, 4 * size), 0, 0, 2 * Math.PI);
    context.stroke();
  });
}

// How far the plane reaches that shows codes up to `reach` from the axes, and how many times larger a lens shows its middle;
// 1 without one.
function filmView(reach) {
  const limit = FILM_LIMITS.find((l) => reach < l) ?? 100000, zoom = (FILM_LENS.side * limit) / FILM_LENS.reach;
  return { limit, zoom: zoom < FILM_LENS.least ? 1 : zoom };
}

// Where the codes lie so far out that prior and map cannot be seen: the middle once more, larger, in the emptiest corner.
function filmLens(say, context, width, { limit, zoom }, shown, epoch, codes, labels, colours) {
  const size = FILM_LENS.side * width, scale = linear([-limit, limit], [0, width]);
  const places = [...labels.map((_, i) => [scale(codes[4 * i]), width - scale(codes[4 * i + 1])]), [width / 2, width / 2]];
  const [left, top] = emptyCorner(width, size, places);
  context.save();
  context.beginPath();
  context.roundRect(left, top, size, size, 6);
  context.fillStyle = colours.paper;
  context.fill();
  context.clip();
  filmPlane(context, { left, top, size, limit: FILM_LENS.reach }, shown, epoch, codes, labels, colours);
  context.restore();
  context.strokeStyle = context.fillStyle = colours.ink;
  context.beginPath();
  context.roundRect(left, top, size, size, 6);
  context.stroke();
  const times = [say("zoom", { times: show(zoom, zoom < 10 ? 1 : 0) }), left + 6, top + 16];
  Object.assign(context, { font: "650 13px sans-serif", strokeStyle: colours.paper, lineWidth: 4, lineJoin: "round" });
  context.strokeText(...times); // what lies behind the letters
  context.fillText(...times);
  context.lineWidth = 1;
}

// One model: a section with its plane, and one with its curves.
function filmHalf(say, labels, name) {
  const { canvas, ready } = sharpCanvas({ "aria-label": say("plane") });
  const curves = { reconstruction: svg("svg", { role: "img" }), kl: svg("svg", { role: "img" }) };
  const titles = [html("p", { class: "vl-title" }), html("p", { class: "vl-title" })], text = html("p", { class: "vl-film-text" });
  const plane = html("section", { class: `vl-half vl-film-${name}` }, titles[0], canvas, text);
  const below = html("section", { class: `vl-half vl-film-curves vl-film-${name}` }, titles[1], ...Object.values(curves));
  const codesAt = (shown, epoch) => shown.codes.subarray(epoch * labels.length * 4, (epoch + 1) * labels.length * 4);
  const draw = (heading, shown, epoch, colours) => {
    const size = plane.clientWidth, context = ready(size, size), codes = codesAt(shown, epoch), now = filmNumbers(codes);
    const view = filmView(now.reach);
    filmPlane(context, { left: 0, top: 0, size, limit: view.limit }, shown, epoch, codes, labels, colours);
    context.fillStyle = colours.quiet;
    context.font = "12px sans-serif";
    context.fillText(`\u00b1${view.limit}`, 5, size - 6);
    if (view.zoom > 1) filmLens(say, context, size, view, shown, epoch, codes, labels, colours);
    titles.forEach((title) => { title.textContent = heading; });
    [plane, below].forEach((section) => section.setAttribute("aria-label", heading));
    const right = (shown.right ??= shown.kl.map((_, i) => filmNumbers(codesAt(shown, i + 1)))); // the KL by the right formula
    for (const [key, drawing] of Object.entries(curves)) {
      const words = epoch ? say(`now_${key}`, { value: show(shown[key][epoch - 1]) }) : say(`curve_${key}`);
      const beside = key === "kl" && !right.some((found) => found.more) ? right.map((found) => found.kl) : [];
      epochChart(drawing, size, shown[key], { title: words, below: say("epoch"), now: epoch, beside });
      set(drawing, { "aria-label": words });
    }
    const kl = now.more ? say("true_kl_more", { kl: show(now.kl, 0) }) : say(epoch && now.kl < COLLAPSED ? "collapsed" : "true_kl", { kl: show(now.kl) });
    text.textContent = `${say(epoch ? "state" : "state_start", { sigma: show(now.sigma, 3), far: show(now.far, 1) })} ${kl}`;
    set(canvas, { "aria-label": text.textContent });
    return `${heading}: ${text.textContent}`;
  };
  return { parts: [plane, below], draw };
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), labels = [...model.get("labels")].map(Number), kept = model.get("reels"), reels = {};
    const reelOf = (name) => (reels[name] ??= reel(kept[name]));
    const patients = Object.keys(kept).filter((name) => name !== "VAE"), last = model.get("epochs");
    const epoch = slider(model, { label: say("slider"), trait: "epoch", min: 0, max: last, step: 1, text: (v) => say("of", { epoch: v, last }) });
    epoch.root.classList.add("vl-stays"); // in sight of both planes and of all curves
    const patient = choice(model, { label: say("beside"), trait: "patient", choices: patients.map((name) => [name, say(`name_${name}`)]) });
    const halves = ["sound", "patient"].map((name) => filmHalf(say, labels, name));
    const voice = announcer();
    const root = frame(say("title"), patient.root, epoch.root, html("div", { class: "vl-halves vl-film" }, ...[0, 1].flatMap((part) => halves.map((h) => h.parts[part]))), html("p", { class: "vl-quiet vl-legend" }, say("legend")), voice.root);
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
