// A curve over the epochs of a training run.

const CHART_HEIGHT = 210, CHART_MARGIN = { top: 24, bottom: 40, left: 58 };

// Numbers with so many digits that an axis has no room for them: in millions, as powers of ten are written.
const inMillions = (v) => (v ? `${show(v / 1e6, 1)}\u00b710\u2076` : "0");

// `values` holds one number for each epoch, from the first; `beside` may hold others to compare them with; `now` marks an
// epoch, if it is not 0.
function epochChart(drawing, width, values, { title, below, now = 0, beside = [] }) {
  // a tenth of a nat at least: what is nearly 0 all the time is to look like 0, and ticks are told apart
  const { top, bottom: space, left } = CHART_MARGIN, bottom = CHART_HEIGHT - space, last = values.length;
  const low = Math.min(0, ...values, ...beside), high = Math.max(0.1, Math.max(...values, ...beside) * 1.05);
  const x = linear([1, last], [left + 8, width - 10]), y = linear([low, high], [bottom, top]);
  const line = (series) => `M${series.map((v, i) => `${x(i + 1)} ${y(v)}`).join("L")}`;
  const size = 10 ** Math.floor(Math.log10(high - low)), step = (high - low) / size > 5 ? 2 * size : (high - low) / size > 2 ? size : size / 2;
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high; t += step) ticks.push(t);
  set(drawing, { width, height: CHART_HEIGHT, viewBox: `0 0 ${width} ${CHART_HEIGHT}` });
  drawing.replaceChildren(
    svg("path", { class: "vl-axis", d: `M${left} ${top}V${bottom}H${width}` }), svg("text", { x: 2, y: 13 }, title),
    ...leftAxis(left, y, ticks, step < 0.1 ? 2 : step < 1 ? 1 : 0, high - low < 1e6 ? undefined : inMillions), ...bottomAxis(x, bottom, (last > 15 ? [1, 5, 10, 15, 20, 25] : [1, 4, 8, 12]).filter((e) => e <= last)),
    svg("text", { x: (left + width) / 2, y: CHART_HEIGHT - 5, "text-anchor": "middle" }, below),
    ...(beside.length ? [svg("path", { class: "vl-beside", d: line(beside), stroke: "var(--vl-green)", "stroke-width": 2, "stroke-dasharray": "6 4", fill: "none" })] : []),
    svg("path", { d: line(values), stroke: "var(--vl-blue)", "stroke-width": 2.5, fill: "none" }),
    ...(now ? [svg("circle", { class: "vl-now", cx: x(now), cy: y(values[now - 1]), r: 6, fill: "var(--vl-orange)" })] : []));
}
