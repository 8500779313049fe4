// Axes, and a point that is moved in a plane by mouse, touch or arrow keys.

// A linear scale from data to pixels, with its inverse.
function linear([d0, d1], [p0, p1]) {
  const scale = (value) => p0 + ((value - d0) / (d1 - d0)) * (p1 - p0);
  scale.invert = (pixel) => d0 + ((pixel - p0) / (p1 - p0)) * (d1 - d0);
  return scale;
}

function bottomAxis(x, y, values, places = 0) {
  return values.map((v) => svg("g", { class: "vl-tick" },
    svg("line", { x1: x(v), x2: x(v), y1: y, y2: y + 4 }),
    svg("text", { x: x(v), y: y + 17, "text-anchor": "middle" }, show(v, places))));
}

// `make`: `svg`, or `mark` for a drawing that is redrawn.
function leftAxis(x, y, values, places = 0, text = (v) => show(v, places), make = svg) {
  return values.map((v) => make("g", { class: "vl-tick" },
    make("line", { x1: x - 4, x2: x, y1: y(v), y2: y(v) }),
    make("text", { x: x - 7, y: y(v) + 4, "text-anchor": "end" }, text(v))));
}

// Where a lens of `side` pixels covers least of a square plane: the corner [left, top] farthest from places [x, y], in pixels.
function emptyCorner(width, side, places) {
  const far = width - side - 5, corners = [[5, 5], [far, 5], [5, far], [far, far]];
  const room = ([a, b]) => Math.min(...places.map(([px, py]) => Math.hypot(px - a - side / 2, py - b - side / 2)));
  return corners.sort((a, b) => room(b) - room(a))[0];
}

// Drag anywhere on `area`, or use the arrow keys on `handle`. `move(px, py)` gets pixels in the SVG's own
// coordinates; `nudge(dx, dy)` gets steps, right and up being positive, ten at a time with Shift.
function draggable(area, handle, move, nudge) {
  const at = (event) => {
    const box = area.ownerSVGElement.getBoundingClientRect();
    move(event.clientX - box.left, event.clientY - box.top);
  };
  const held = (on) => area.ownerSVGElement.classList.toggle("vl-dragging", on);
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    area.setPointerCapture(event.pointerId);
    held(true);
    handle.focus({ preventScroll: true, focusVisible: false });
    at(event);
    event.preventDefault();
  });
  area.addEventListener("pointermove", (event) => { if (area.hasPointerCapture(event.pointerId)) at(event); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) area.addEventListener(end, () => held(false));
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  handle.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const size = event.shiftKey ? 10 : 1;
    nudge(step[0] * size, step[1] * size);
    event.preventDefault();
    event.stopPropagation(); // the book's theme turns pages with the arrow keys, JupyterLab moves between cells
  });
}
