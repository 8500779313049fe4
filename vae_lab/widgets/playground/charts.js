// How distortion and rate went, and what each latent dimension costs now.

const MOST_KEPT = 600;

// Means over runs of steps: when there are too many, neighbours are put together.
function lossHistory() {
  let entries = [], width = 1, waiting = [];
  const put = (distortion, rate) => {
    waiting.push([distortion, rate]);
    if (waiting.length < width) return;
    entries.push([0, 1].map((k) => waiting.reduce((sum, w) => sum + w[k], 0) / width));
    waiting = [];
    if (entries.length < MOST_KEPT) return;
    entries = Array.from({ length: MOST_KEPT / 2 }, (_, i) => [0, 1].map((k) => (entries[2 * i][k] + entries[2 * i + 1][k]) / 2));
    width *= 2;
  };
  return { put, get entries() { return entries; }, get width() { return width; } };
}

function lossChart(say, key, k, tone) {
  const HEIGHT = 130, LEFT = 40, BOTTOM = 108;
  const root = svg("svg", { role: "img" });
  const draw = (room, history) => {
    const values = history.entries.map((e) => e[k]), steps = Math.max(1, values.length * history.width);
    const sorted = [...values].sort((a, b) => a - b), low = Math.min(0, sorted[0] ?? 0), high = Math.max(sorted[Math.floor(0.98 * sorted.length)] ?? 1, low + 0.5) * (k ? 1.1 : 1) + (k ? 0 : 0.2);
    const x = linear([0, steps], [LEFT, room - 8]), y = linear([low, high], [BOTTOM, 24]);
    const unit = 10 ** Math.floor(Math.log10(high - low)), step = (high - low) / unit > 4 ? 2 * unit : (high - low) / unit > 2 ? unit : unit / 2;
    const ticks = [];
    for (let t = Math.ceil(low / step) * step; t <= high; t += step) ticks.push(t);
    set(root, { width: room, height: HEIGHT, viewBox: `0 0 ${room} ${HEIGHT}` });
    redraw(root,
      mark("path", { class: "vl-axis", d: `M${LEFT} 20V${BOTTOM}H${room}` }), ...leftAxis(LEFT, y, ticks, step < 1 ? 1 : 0, undefined, mark),
      mark("text", { x: 2, y: 13, "font-weight": 650, style: `fill: ${tone}` }, values.length ? say(key, { value: show(values.at(-1)) }) : say(`${key}_empty`)),
      mark("text", { x: room - 2, y: HEIGHT - 4, "text-anchor": "end", style: "fill: var(--vl-quiet)" }, say("steps", { steps: values.length * history.width })),
      mark("path", { d: values.length ? `M${values.map((v, i) => `${x((i + 1) * history.width).toFixed(1)} ${clamp(y(v), 18, BOTTOM + 4).toFixed(1)}`).join("L")}` : "M0 0", stroke: tone, "stroke-width": 2, fill: "none" }));
    set(root, { "aria-label": values.length ? say(key, { value: show(values.at(-1)) }) : say(`${key}_empty`) });
  };
  return { root, draw };
}

// A bar for each latent dimension: its share of the rate, on all examples.
function rateBars(say) {
  const root = svg("svg", { role: "img" });
  const draw = (room, rate) => {
    const height = 18 * rate.length + 22, most = Math.max(1, ...rate), x = linear([0, most], [34, room - 52]);
    set(root, { width: room, height, viewBox: `0 0 ${room} ${height}`, "aria-label": say("bars_spoken", { rates: [...rate].map((r) => show(r)).join(", ") }) });
    redraw(root, mark("text", { x: 2, y: 13, "font-weight": 650, style: "fill: var(--vl-green)" }, say("bars")), ...[...rate].flatMap((value, d) => [
      mark("text", { x: 2, y: 36 + 18 * d }, `z${"\u2081\u2082\u2083\u2084\u2085\u2086"[d]}`),
      mark("rect", { x: 34, y: 25 + 18 * d, width: Math.max(1.5, x(value) - 34), height: 13, fill: "var(--vl-green)", opacity: 0.75 }),
      mark("text", { x: x(Math.max(0, value)) + 6, y: 36 + 18 * d }, show(value)),
    ]));
  };
  return { root, draw };
}
