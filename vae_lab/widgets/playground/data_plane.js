// The data: points with what the decoder makes of the latent plane, or digits with their reconstructions; and draws from
// the prior. Points can be drawn here, or chosen.

const GRID_LINES = [-2, -1, 0, 1, 2], GRID_STEPS = 33, DRAWS_SHOWN = 120;
const PICTURES = [["data_examples", 8], ["data_reconstructions", 8], ["data_draws", 32]];

// All z that the plane decodes, one after the other: the lines of the grid, then draws from the prior; and the decoder's
// noise on those. They are the same for every step.
function planeCodes(latent) {
  const lines = latent === 1 ? [[0, 0]] : [0, 1].flatMap((axis) => GRID_LINES.map((k) => [axis, k]));
  const random = seeded(11), from = lines.length * GRID_STEPS, z = new Float64Array((from + DRAWS_SHOWN) * latent);
  lines.forEach(([axis, k], line) => {
    for (let s = 0; s < GRID_STEPS; s++) {
      const at = (line * GRID_STEPS + s) * latent;
      if (latent > 1) z[at + 1 - axis] = k;
      z[at + axis] = (s / (GRID_STEPS - 1)) * 4 - 2;
    }
  });
  z.set(normals(DRAWS_SHOWN * latent, random), from * latent);
  return { latent, lines, z, from, noise: normals(2 * DRAWS_SHOWN, random) };
}

function dataPlane(say, { add, choose }) {
  const { canvas, ready } = sharpCanvas({ class: "vl-colour vl-data" });
  const pen = svg("circle", { class: "vl-handle vl-pen", r: 8, cx: 0, cy: 0, tabindex: 0, role: "button", "aria-label": say("pen") });
  const cover = svg("svg", { role: "group", "aria-label": say("data_plane") });
  const area = svg("rect", { class: "vl-drag", x: 0, y: 0, fill: "transparent" });
  cover.append(area, pen);
  const root = html("div", { class: "vl-plane" }, canvas, cover);
  const still = sharpCanvas({});
  let size = 0, at = [0, 0], drawing = false, last = null, codes = null, priors = null, dotted = [];
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

  const cross = (context, cx, cy, r) => { context.moveTo(cx - r, cy); context.lineTo(cx + r, cy); context.moveTo(cx, cy - r); context.lineTo(cx, cy + r); };

  const drawPoints = (context, run, seen, follow, colours) => {
    const { vae, latent, data } = run;
    context.strokeStyle = colours.blue;
    context.globalAlpha = 0.55;
    if (codes?.latent !== latent) codes = planeCodes(latent);
    const { lines, z, from, noise } = codes, decoded = vae.decode(z, from + DRAWS_SHOWN);
    for (const thick of [false, true]) {
      context.lineWidth = latent === 1 ? 3 : thick ? 2 : 1;
      context.beginPath();
      lines.forEach(([, k], line) => {
        if ((k === 0) !== thick) return;
        for (let s = 0; s < GRID_STEPS; s++) {
          const i = 2 * (line * GRID_STEPS + s), px = x(decoded[i]), py = y(decoded[i + 1]);
          if (s) context.lineTo(px, py); else context.moveTo(px, py);
        }
      });
      context.stroke();
    }
    context.globalAlpha = 0.8;
    context.strokeStyle = colours.green;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let i = 0; i < DRAWS_SHOWN; i++) {
      const [a, b] = [0, 1].map((k) => decoded[2 * (from + i) + k] + run.now.decoderSigma * noise[2 * i + k]);
      cross(context, x(a), y(b), 3.5);
    }
    context.stroke();
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
    context.beginPath();
    cross(context, x(seen.xHat[0]), y(seen.xHat[1]), 6);
    context.stroke();
  };
  // The data stay where they are: they are drawn aside once, and laid in from there.
  const dots = (context, data, colours) => {
    const now = [data, size, colours.dark, globalThis.devicePixelRatio];
    if (now.some((part, k) => part !== dotted[k])) {
      const aside = still.ready(size, size);
      dotted = now;
      for (const [hue, examples] of data.hues) {
        aside.fillStyle = colours.hue(hue);
        aside.beginPath();
        for (const i of examples) { const px = x(data.values[2 * i]), py = y(data.values[2 * i + 1]); aside.moveTo(px + 2.6, py); aside.arc(px, py, 2.6, 0, 2 * Math.PI); }
        aside.fill();
      }
    }
    context.drawImage(still.canvas, 0, 0, size, size);
  };

  const drawPictures = (context, run, seen, follow, colours) => {
    if (priors?.length !== 32 * run.latent) priors = normals(32 * run.latent, seeded(11));
    const { vae, data } = run, cell = size / 8, shown = Array.from({ length: 8 }, (_, i) => (follow + i) % data.count);
    const originals = new Float64Array(8 * 64);
    shown.forEach((index, i) => originals.set(data.values.subarray(64 * index, 64 * index + 64), 64 * i));
    const rows = [originals, vae.decode(vae.encode(originals, 8).mu, 8), vae.decode(priors, 32)];
    context.font = "13px sans-serif";
    let top = 0;
    PICTURES.forEach(([key, count], k) => {
      context.fillStyle = colours.quiet;
      context.fillText(say(key), 0, top + 14);
      const from = top + 20;
      stamps(context, rows[k], 0, count, { side: 8, size: cell - 2, at: (i) => [(i % 8) * cell + 1, from + Math.floor(i / 8) * cell] }, colours);
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
