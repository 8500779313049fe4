// The latent plane: where the encoder puts each example and how widely, the prior, and what the places decode to.

const MAP_SIDE = 9, ELLIPSES = 80;

function latentPlane(say) {
  const { canvas, ready } = sharpCanvas({ class: "vl-colour vl-latent" });
  let limit = 3.5;

  // The two dimensions that cost most, in their own order; the only one twice if there is no other.
  const axesOf = (rate) => (rate.length === 1 ? [0, 0] : [...rate.keys()].sort((a, b) => rate[b] - rate[a]).slice(0, 2).sort((a, b) => a - b));

  const draw = (size, run, seen, all, follow, colours) => {
    const { data, latent, vae } = run, [a, b] = axesOf(all.rate), single = latent === 1, context = ready(size, size);
    let far = 0;
    for (let i = 0; i < data.count; i++) far = Math.max(far, Math.abs(all.mu[i * latent + a]), single ? 0 : Math.abs(all.mu[i * latent + b]));
    limit = [3.5, 5, 7, 10, 15, 25, 50, 100, 1000].find((l) => far * 1.02 < l) ?? 10000;
    const x = linear([-limit, limit], [0, size]), y = linear([-limit, limit], [size, 0]), unit = size / (2 * limit);
    const place = (i) => [x(all.mu[i * latent + a]), single ? size * (0.06 + (0.62 * i) / data.count) : y(all.mu[i * latent + b])];

    if (data.inputs > 2) { // the decoded map
      const rows = single ? 1 : MAP_SIDE, cell = size / MAP_SIDE, z = new Float64Array(rows * MAP_SIDE * latent);
      for (let r = 0; r < rows; r++) for (let c = 0; c < MAP_SIDE; c++) {
        z[(r * MAP_SIDE + c) * latent + a] = x.invert((c + 0.5) * cell);
        if (!single) z[(r * MAP_SIDE + c) * latent + b] = y.invert((r + 0.5) * cell);
      }
      const at = (k) => [(k % MAP_SIDE) * cell + 1, single ? size - cell - 2 : Math.floor(k / MAP_SIDE) * cell + 1];
      stamps(context, vae.decode(z, rows * MAP_SIDE), 0, rows * MAP_SIDE, { side: 8, size: cell - 2, at }, colours, single ? 0.9 : 0.4);
    } else { // lines of equal z; the data's plane shows what becomes of them
      context.lineWidth = 1;
      context.strokeStyle = colours.line;
      for (const k of [-2, -1, 0, 1, 2]) {
        context.beginPath();
        context.moveTo(x(k), single ? size * 0.7 : y(-2)); context.lineTo(x(k), single ? size : y(2));
        if (!single) { context.moveTo(x(-2), y(k)); context.lineTo(x(2), y(k)); }
        context.stroke();
      }
    }
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1.2;
    context.setLineDash([4, 4]);
    for (const r of [1, 2]) {
      context.beginPath();
      if (single) { for (const s of [-r, r]) { context.moveTo(x(s), 0); context.lineTo(x(s), size * 0.72); } } else context.arc(x(0), y(0), r * unit, 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
    const ellipse = (cx, cy, i) => {
      const wide = unit * all.sigma[i * latent + a], high = single ? 0 : unit * all.sigma[i * latent + b];
      context.moveTo(cx + wide, cy);
      if (single) context.lineTo(cx - wide, cy); else context.ellipse(cx, cy, wide, high, 0, 0, 2 * Math.PI);
    };
    const every = Math.max(1, Math.floor(data.count / ELLIPSES)), radius = data.labels ? 1.7 : 2.2;
    for (const [hue, examples] of data.hues) {
      const places = examples.map(place);
      context.fillStyle = colours.hue(hue, 0.9);
      context.beginPath();
      for (const [cx, cy] of places) { context.moveTo(cx + radius, cy); context.arc(cx, cy, radius, 0, 2 * Math.PI); }
      context.fill();
      context.strokeStyle = colours.hue(hue, 0.5);
      context.beginPath();
      examples.forEach((i, k) => { if (i % every === 0) ellipse(...places[k], i); });
      context.stroke();
    }
    const [cx, cy] = place(follow);
    context.strokeStyle = colours.orange;
    context.lineWidth = 3;
    context.beginPath();
    ellipse(cx, cy, follow);
    context.stroke();
    context.fillStyle = colours.orange;
    context.beginPath();
    context.arc(x(seen.z[a]), single ? cy : y(seen.z[b]), 5, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = colours.quiet;
    context.font = "12px sans-serif";
    context.fillText(`z${"\u2081\u2082\u2083\u2084\u2085\u2086"[a]}`, size - 20, size - 6);
    if (!single) context.fillText(`z${"\u2081\u2082\u2083\u2084\u2085\u2086"[b]}`, 5, 14);
    context.fillText(`\u00b1${limit}`, 5, size - 6);
  };
  return { canvas, draw };
}
