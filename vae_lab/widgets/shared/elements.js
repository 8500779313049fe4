// Elements that every interaction is built from. Text enters the page as text nodes only, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Change what is there: only what differs is written, for the browser lays out and paints again what is written.
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
  return node;
}
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// Several views of one widget may share a page: ids never repeat.
const uniqueId = (name) => `vl-${name}-${(globalThis.__vaeLabId = (globalThis.__vaeLabId ?? 0) + 1)}`;

// A number as a reader writes it: fixed places, a true minus sign, no "-0".
function show(value, places = 2) {
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Call `draw` at most once a frame, however often the returned function is called.
function oncePerFrame(draw) {
  let waiting = 0;
  const schedule = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };
  schedule.cancel = () => cancelAnimationFrame(waiting);
  return schedule;
}

// A labelled native slider, tied both ways to one number among the widget's traits.
// `read` and `write` map a trait to the slider's own scale, for lists and logarithms.
function slider(model, { label, trait, min, max, step, text = show, read = (v) => v, write = (v) => v, spoken = text }) {
  const id = uniqueId(trait);
  const input = html("input", { type: "range", id, min, max, step });
  const output = html("output", { for: id, "aria-live": "off" });
  let shown = NaN;
  const update = () => {
    const value = read(model.get(trait));
    if (value !== shown) input.value = shown = value;
    setText(output, text(value));
    set(input, { "aria-valuetext": spoken(value) });
  };
  input.addEventListener("input", () => {
    shown = NaN; // where the hand has put it may not be where the trait comes to rest
    model.set(trait, write(input.valueAsNumber, model.get(trait)));
    model.save_changes();
  });
  update();
  return { root: html("div", { class: "vl-slider" }, html("label", { for: id }, label), output, input), update };
}

function button(text, action) {
  const node = html("button", { type: "button" }, text);
  node.addEventListener("click", action);
  return node;
}

// One choice of a few, as native radio buttons tied to a trait. `choices` is a list of [value, label].
function choice(model, { label, trait, choices }) {
  const name = uniqueId(trait);
  const inputs = choices.map(([value, text]) => {
    const input = html("input", { type: "radio", name, value });
    input.addEventListener("change", () => { model.set(trait, value); model.save_changes(); });
    return [input, html("label", {}, input, text)];
  });
  const update = () => inputs.forEach(([input]) => { input.checked = input.value === String(model.get(trait)); });
  update();
  return { root: html("fieldset", {}, html("legend", {}, label), ...inputs.map(([, node]) => node)), update };
}

// What changed, said once to a screen reader when the reader's hand rests.
function announcer() {
  const root = html("div", { class: "vl-spoken", role: "status" });
  let timer = 0;
  return { root, say: (text) => { clearTimeout(timer); timer = setTimeout(() => { root.textContent = text; }, 500); } };
}

// Redraw when any of the traits changes, whoever changed it, and when the widget's width changes.
// Returns what anywidget calls when the view goes away.
function keepDrawn(model, root, traits, draw) {
  const schedule = oncePerFrame(() => { if (root.clientWidth > 0) draw(); }); // hidden: later, when there is room
  for (const trait of traits) model.on(`change:${trait}`, schedule);
  const observer = new ResizeObserver(schedule);
  observer.observe(root);
  schedule();
  return () => {
    for (const trait of traits) model.off(`change:${trait}`, schedule);
    observer.disconnect();
    schedule.cancel();
  };
}

// The box around an interaction. JupyterLab's keyboard shortcuts would take the arrow keys from a slider: they leave alone
// what has this attribute, and look for it on the focused element only.
function frame(name, ...children) {
  const root = html("div", { class: "vae-lab", role: "group", "aria-label": name }, ...children);
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  return root;
}
