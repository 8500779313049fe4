// A pad to draw a digit on, with mouse, finger or keys, and the drawing as MNIST would have it: 28 x 28 pixels, the digit
// scaled to 20 pixels and its centre of mass in the middle.

const DIGIT_SIDE = 28, DIGIT_BOX = 20, PEN_WIDTH = 2.3, PAD = 224;

// Strokes [[[x, y], ...], ...] within [0, 1] -> 784 values in [0, 1].
function inkOf(strokes) {
  const canvas = (inkOf.canvas ??= document.createElement("canvas"));
  canvas.width = canvas.height = DIGIT_SIDE;
  const points = strokes.flat(), out = new Float32Array(DIGIT_SIDE * DIGIT_SIDE);
  if (!points.length) return out;
  const bounds = [0, 1].map((k) => [Math.min(...points.map((p) => p[k])), Math.max(...points.map((p) => p[k]))]);
  const scale = (DIGIT_BOX - PEN_WIDTH) / Math.max(0.15, bounds[0][1] - bounds[0][0], bounds[1][1] - bounds[1][0]);
  let shift = bounds.map(([low, high]) => DIGIT_SIDE / 2 - (scale * (low + high)) / 2);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: PEN_WIDTH, lineCap: "round", lineJoin: "round" });
  for (const last of [false, true]) {
    context.clearRect(0, 0, DIGIT_SIDE, DIGIT_SIDE);
    for (const stroke of strokes) {
      context.beginPath();
      stroke.forEach(([x, y], i) => {
        const at = [scale * x + shift[0], scale * y + shift[1]];
        if (i) context.lineTo(...at); else { context.moveTo(...at); context.lineTo(at[0] + 0.01, at[1]); }
      });
      context.stroke();
    }
    const data = context.getImageData(0, 0, DIGIT_SIDE, DIGIT_SIDE).data;
    let mass = 0, across = 0, down = 0;
    for (let i = 0; i < out.length; i++) {
      const value = (out[i] = data[4 * i + 3] / 255);
      mass += value;
      across += value * ((i % DIGIT_SIDE) + 0.5);
      down += value * (Math.floor(i / DIGIT_SIDE) + 0.5);
    }
    if (!last) shift = [shift[0] + DIGIT_SIDE / 2 - across / mass, shift[1] + DIGIT_SIDE / 2 - down / mass];
  }
  return out;
}

// `strokes()` returns what is drawn; `change(strokes)` keeps what the reader's hand adds.
function drawingPad(say, { strokes, change }) {
  const lines = svg("path", { stroke: "var(--vl-ink)", "stroke-width": (PEN_WIDTH / DIGIT_BOX) * PAD * 0.75, "stroke-linecap": "round", "stroke-linejoin": "round", fill: "none", "pointer-events": "none" });
  const area = svg("rect", { class: "vl-drag", width: PAD, height: PAD, fill: "transparent" });
  const pen = svg("circle", { class: "vl-handle vl-pen", r: 8, tabindex: 0, role: "button", "aria-label": say("pen"), "aria-pressed": "false" });
  const root = svg("svg", { class: "vl-pad", role: "group", "aria-label": say("pad"), width: PAD, height: PAD, viewBox: `0 0 ${PAD} ${PAD}` },
    svg("rect", { class: "vl-axis", width: PAD - 1, height: PAD - 1, x: 0.5, y: 0.5, rx: 6 }), lines, area, pen);
  let at = [0.5, 0.3], held = false, down = false;
  const kept = (v) => clamp(Math.round(200 * v) / 200, 0.03, 0.97);
  const add = (point, fresh) => {
    const all = strokes().map((stroke) => stroke.slice());
    if (fresh || !all.length) all.push([point]); else all.at(-1).push(point);
    change(all);
  };
  draggable(area, pen, (px, py) => {
    at = [kept(px / PAD), kept(py / PAD)];
    const last = strokes().at(-1)?.at(-1);
    if (held && last && last[0] === at[0] && last[1] === at[1]) return;
    add(at, !held);
    held = true;
  }, (dx, dy) => {
    at = [kept(at[0] + 0.02 * dx), kept(at[1] - 0.02 * dy)];
    if (down) add(at, false); else draw();
  });
  for (const end of ["pointerup", "pointercancel"]) area.addEventListener(end, () => { held = false; });
  pen.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    down = !down;
    pen.setAttribute("aria-pressed", String(down));
    if (down) add(at, true);
  });
  const draw = () => {
    const d = strokes().map((stroke) => `M${stroke.map(([x, y]) => `${(x * PAD).toFixed(1)} ${(y * PAD).toFixed(1)}`).join("L")}h0.1`).join("");
    set(lines, { d: d || "M0 0" });
    set(pen, { cx: at[0] * PAD, cy: at[1] * PAD });
  };
  return { root, draw };
}
