// The data: points with what the decoder makes of the latent plane, or digits with their reconstructions; and draws from
// the prior. Points can be drawn here, or chosen.

const GRID_LINES = [-2, -1, 0, 1, 2], GRID_STEPS = 33, DRAWS_SHOWN = 120;
const PICTURES = [["data_examples", 8], ["data_reconstructions", 8], ["data_draws", 32]];

function dataPlane(say, { add, choose }) {
  const { canvas, ready } = sharpCanvas({ class: "vl-colour vl-data" });
  const pen = svg("circle", { class: "vl-handle vl-pen", r: 8, cx: 0, cy: 0, tabindex: 0, role: "button", "aria-label": say("pen") });
  const cover = svg("svg", { role: "group", "aria-label": say("data_plane") });
  const area = svg("rect", { class: "vl-drag", x: 0, y: 0, fill: "transparent" });
  cover.append(area, pen);
  const root = html("div", { class: "vl-plane" }, canvas, cover);
  let size = 0, at = [0, 0], drawing = false, last = null;
  const x = (v) => ((v + REACH) / (2 * REACH)) * size, y = (v) => size - x(v), back = (p) => (p / size) * 2 * REACH - REACH;

  draggable(area, pen, (px, py) => {
    const here = [back(px), -back(py)];
    if (!drawing) { choose(here); return; }
    if (last && Math.hypot(here[0] - last[0], here[1] - last[1]) < 0.12) return;
    last = at = here.map(onGrid);
    add(at);
  }, (dx, dy) => { at = [onGrid(at[0] + 0.1 * dx), onGrid(at[1] + 0.1 * dy)]; set(pen, { cx: x(at[0]), cy: y(at[1]) }); });
  area.addEventListener("pointerup", () => { last = null; });
  pen.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (drawing) add(at.map(onGrid)); else choose(at);
  });

  const cross = (context, cx, cy, r) => { context.beginPath(); context.moveTo(cx - r, cy); context.lineTo(cx + r, cy); context.moveTo(cx, cy - r); context.lineTo(cx, cy + r); context.stroke(); };

  const drawPoints = (context, run, seen, follow, colours) => {
    const { vae, latent, data } = run;
    context.strokeStyle = colours.blue;
    context.globalAlpha = 0.55;
    for (const [axis, k] of (latent === 1 ? [[0, 0]] : [0, 1].flatMap((axis) => GRID_LINES.map((k) => [axis, k])))) {
      const z = new Float64Array(GRID_STEPS * latent);
      for (let s = 0; s < GRID_STEPS; s++) { z[s * latent + axis] = (s / (GRID_STEPS - 1)) * 4 - 2; if (latent > 1) z[s * latent + 1 - axis] = k; }
      const line = vae.decode(z, GRID_STEPS);
      context.lineWidth = latent === 1 ? 3 : k === 0 ? 2 : 1;
      context.beginPath();
      for (let s = 0; s < GRID_STEPS; s++) context.lineTo(x(line[2 * s]), y(line[2 * s + 1]));
      context.stroke();
    }
    context.globalAlpha = 0.8;
    context.strokeStyle = colours.green;
    context.lineWidth = 1.5;
    const random = seeded(11), drawn = vae.decode(normals(DRAWS_SHOWN * latent, random), DRAWS_SHOWN), noise = normals(2 * DRAWS_SHOWN, random);
    for (let i = 0; i < DRAWS_SHOWN; i++) cross(context, x(drawn[2 * i] + run.now.decoderSigma * noise[2 * i]), y(drawn[2 * i + 1] + run.now.decoderSigma * noise[2 * i + 1]), 3.5);
    context.globalAlpha = 1;
    dots(context, data, colours);
    context.strokeStyle = colours.orange;
    context.lineWidth = 2.5;
    context.beginPath();
    context.moveTo(x(seen.x[0]), y(seen.x[1]));
    context.lineTo(x(seen.xHat[0]), y(seen.xHat[1]));
    context.stroke();
    context.beginPath();
    context.arc(x(seen.x[0]), y(seen.x[1]), 6, 0, 2 * Math.PI);
    context.stroke();
    cross(context, x(seen.xHat[0]), y(seen.xHat[1]), 6);
  };
  const dots = (context, data, colours) => {
    for (let i = 0; i < data.count; i++) {
      context.fillStyle = colours.hue(data.hues[i]);
      context.beginPath();
      context.arc(x(data.values[2 * i]), y(data.values[2 * i + 1]), 2.6, 0, 2 * Math.PI);
      context.fill();
    }
  };

  const drawPictures = (context, run, seen, follow, colours) => {
    const { vae, data, latent } = run, cell = size / 8, shown = Array.from({ length: 8 }, (_, i) => (follow + i) % data.count);
    const originals = new Float64Array(8 * 64);
    shown.forEach((index, i) => originals.set(data.values.subarray(64 * index, 64 * index + 64), 64 * i));
    const rows = [originals, vae.decode(vae.encode(originals, 8).mu, 8), vae.decode(normals(32 * latent, seeded(11)), 32)];
    context.font = "13px sans-serif";
    let top = 0;
    PICTURES.forEach(([key, count], k) => {
      context.fillStyle = colours.quiet;
      context.fillText(say(key), 0, top + 14);
      for (let i = 0; i < count; i++) stamp(context, rows[k], 64 * i, 8, (i % 8) * cell + 1, top + 20 + Math.floor(i / 8) * cell, cell - 2, colours);
      top += 28 + (count / 8) * cell;
    });
    context.strokeStyle = colours.orange;
    context.lineWidth = 2.5;
    context.strokeRect(1, 20, cell - 2, cell - 2);
  };

  // `run` is null while there are too few drawn points to train on: `points` are shown alone.
  const draw = (room, run, seen, follow, colours, data, isDrawing) => {
    size = room;
    drawing = isDrawing;
    const pictures = data.inputs > 2, context = ready(size, size);
    set(cover, { width: size, height: size, viewBox: `0 0 ${size} ${size}`, style: pictures ? "display: none" : "" });
    set(area, { width: size, height: size });
    set(pen, { cx: x(at[0]), cy: y(at[1]), "aria-label": drawing ? say("pen") : say("chooser") });
    pen.classList.toggle("vl-writes", drawing);
    if (pictures) drawPictures(context, run, seen, follow, colours);
    else if (run) drawPoints(context, run, seen, follow, colours);
    else dots(context, data, colours);
  };
  return { root, canvas, draw };
}
