// mu, logvar, eps -> sigma -> z -> loss = (z - target)^2, with what flows along each edge, forwards and backwards.

const NAMES = { mu: "\u03bc", logvar: "logvar", sigma: "\u03c3", eps: "\u03b5", z: "z" };
const SPOKEN = { mu: "mu", logvar: "logvar", sigma: "sigma", eps: "epsilon", z: "z" };
const ALL = [...Object.keys(NAMES), "loss"];
const EDGES = [["mu", "z"], ["logvar", "sigma"], ["sigma", "z"], ["eps", "z"], ["z", "loss"]];
// Where each node stands, as a share of the width and in pixels; a phone gets a tall picture.
const WIDE = { height: 330, at: { mu: [0.36, 50], logvar: [0.1, 165], sigma: [0.36, 165], eps: [0.36, 280], z: [0.64, 165], loss: [0.9, 165] } };
const TALL = { height: 480, at: { mu: [0.16, 165], logvar: [0.5, 45], sigma: [0.5, 165], eps: [0.84, 165], z: [0.5, 305], loss: [0.5, 435] } };
const BOX = { width: 88, height: 50 };

// Values of all nodes, the derivative on each edge, and the gradient that arrives at each node (null: none does).
function compute(mu, logvar, eps, target, drawn) {
  const sigma = Math.exp(logvar / 2), z = mu + sigma * eps, off = z - target;
  const local = { "mu>z": 1, "logvar>sigma": sigma / 2, "sigma>z": eps, "eps>z": sigma, "z>loss": 2 * off };
  const arrives = { loss: 1, z: 2 * off, mu: null, sigma: null, eps: null, logvar: null };
  if (!drawn) Object.assign(arrives, { mu: 2 * off, sigma: 2 * off * eps, eps: 2 * off * sigma, logvar: off * eps * sigma });
  return { values: { mu, logvar, sigma, eps, z, loss: off * off }, local, arrives };
}

function explain(say, node, { local, arrives, values }, target, drawn) {
  if (drawn && node === "eps") return say("inside_z");
  const first = say("to_z", { z: show(values.z), target: factor(target), gradient: show(arrives.z) });
  if (node === "z") return first;
  if (drawn) return `${first} ${say("ends", { node: NAMES[node] })}`;
  const times = (from, to) => `${show(arrives[to])} \u00b7 ${factor(local[`${from}>${to}`])} = ${show(arrives[from])}`;
  const product = node === "logvar" ? times("logvar", "sigma") : times(node, "z");
  return `${first} ${say(`to_${node}`, { product, sigma: times("sigma", "z") })}`;
}

// Where the two lines of text at an edge's middle go: x, first y, second y, anchor. Beside the edge, never on it.
function place(x, y, ux, uy, tall) {
  if (tall && Math.abs(ux) > 0.2) return ux > 0 ? [x - 20, y - 15, y + 2, "end"] : [x + 20, y - 15, y + 2, "start"]; // higher, where the slanted ones are farther apart
  if (tall) return [x + 10, y - 20, y - 3, "start"];
  if (Math.abs(uy) < 0.2) return [x, y - 9, y + 20, "middle"];
  return uy > 0 ? [x + 4, y - 24, y - 7, "start"] : [x + 4, y + 20, y + 37, "start"];
}

const factor = (value) => (value < 0 ? `(${show(value)})` : show(value));

export default {
  render({ model, el }) {
    const say = wordsOf(model);
    const plain = (trait, label, min, max) => slider(model, { label, trait, min, max, step: 0.01, spoken: (v) => say("setting", { name: SPOKEN[trait] ?? say(trait), value: show(v) }) });
    const controls = [plain("mu", "\u03bc", -3, 3), plain("logvar", "logvar", -3, 3), plain("eps", "\u03b5", -3, 3), plain("target", say("target"), -3, 5)];
    const kind = choice(model, { label: say("z_is"), trait: "z_is", choices: [["computed", say("computed")], ["drawn", say("drawn")]] });
    const follow = choice(model, { label: say("follow"), trait: "follow", choices: ["mu", "sigma", "logvar", "eps", "z"].map((n) => [n, NAMES[n]]) });
    const drawing = svg("svg", { role: "img", class: "vl-graph" });
    const text = html("p", { class: "vl-explanation" });
    const voice = announcer();
    const root = frame(say("title"), html("div", { class: "vl-controls" }, ...controls.map((c) => c.root)), kind.root, follow.root, drawing, text, voice.root);
    el.append(root);

    const draw = () => {
      [...controls, kind, follow].forEach((c) => c.update());
      const drawn = model.get("z_is") === "drawn", chosen = model.get("follow"), target = model.get("target");
      const state = compute(model.get("mu"), model.get("logvar"), model.get("eps"), target, drawn);
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft);
      const plan = width < 560 ? TALL : WIDE;
      const at = (node) => [plan.at[node][0] * width, plan.at[node][1]];
      const way = new Set(["z>loss"]);
      if (chosen !== "z") way.add(chosen === "logvar" ? "sigma>z" : `${chosen}>z`);
      if (chosen === "logvar") way.add("logvar>sigma");
      set(drawing, { width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}` });

      const edges = EDGES.filter(([from]) => !(drawn && from === "eps")).map(([from, to]) => {
        const [x0, y0] = at(from), [x1, y1] = at(to), key = `${from}>${to}`;
        const length = Math.hypot(x1 - x0, y1 - y0), [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
        const reach = (dx, dy) => Math.min(BOX.width / 2 / Math.abs(dx || 1e-9), BOX.height / 2 / Math.abs(dy || 1e-9));
        const r = reach(ux, uy), s = length - r - 3;
        const cut = drawn && to === "z", dead = cut || state.arrives[from] === null;
        const tone = cut ? "var(--vl-orange)" : dead ? "var(--vl-quiet)" : "var(--vl-blue)";
        // The gradient goes against the computation: its arrow points back to where the edge comes from.
        const tip = `M${x0 + ux * (r + 3)} ${y0 + uy * (r + 3)}l${ux * 11 - uy * 5} ${uy * 11 + ux * 5}L${x0 + ux * (r + 14) + uy * 5} ${y0 + uy * (r + 14) - ux * 5}Z`;
        const mx = x0 + ux * (r + (s - r) * 0.5), my = y0 + uy * (r + (s - r) * 0.5);
        const marks = [svg("line", { x1: x0 + ux * r, y1: y0 + uy * r, x2: x0 + ux * s, y2: y0 + uy * s, stroke: tone, "stroke-width": way.has(key) ? 4 : 1.5, "stroke-dasharray": dead && !cut ? "2 5" : "none" })];
        if (cut) marks.push(svg("path", { d: `M${x0 + ux * (s - 12) - 7} ${y0 + uy * (s - 12) - 7}l14 14m0 -14l-14 14`, stroke: tone, "stroke-width": 3 }));
        else if (!dead) marks.push(svg("path", { d: tip, fill: tone }));
        const words = dead ? [say(cut ? "cut" : "none")] : [show(state.arrives[from]), `\u00d7 ${show(state.local[key])}`];
        const [x, y1st, y2nd, anchor] = place(mx, my, ux, uy, plan === TALL);
        const look = { "text-anchor": anchor, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 5 };
        marks.push(svg("text", { ...look, x, y: y1st, class: "vl-flow", "data-edge": key, style: `fill: ${tone}`, "font-weight": 700 }, words[0]));
        if (words[1]) marks.push(svg("text", { ...look, x, y: y2nd, class: "vl-local", style: "fill: var(--vl-quiet)" }, words[1]));
        return svg("g", {}, ...marks);
      });
      const nodes = ALL.map((node) => {
        const [x, y] = at(node), random = (node === "z" && drawn) || node === "eps", gone = drawn && node === "eps";
        const look = { fill: "var(--vl-raised)", stroke: node === chosen ? "var(--vl-blue)" : "var(--vl-quiet)", "stroke-width": node === chosen ? 3 : 1.5, "stroke-dasharray": gone ? "3 4" : "none" };
        const shape = random
          ? svg("ellipse", { cx: x, cy: y, rx: BOX.width / 2, ry: BOX.height / 2, ...look })
          : svg("rect", { x: x - BOX.width / 2, y: y - BOX.height / 2, width: BOX.width, height: BOX.height, rx: 6, ...look });
        const group = svg("g", { "data-node": node, style: node === "loss" || gone ? "" : "cursor: pointer" }, shape,
          svg("text", { x, y: y - 4, "text-anchor": "middle", "font-weight": 650 }, NAMES[node] ?? say(node)),
          svg("text", { x, y: y + 15, "text-anchor": "middle" }, gone ? say("gone") : show(state.values[node])));
        if (node !== "loss") group.addEventListener("click", () => { model.set("follow", node); model.save_changes(); });
        return group;
      });
      drawing.replaceChildren(...edges, ...nodes);
      const heard = ALL.map((n) => say(state.arrives[n] === null ? "heard_none" : "heard", { name: SPOKEN[n] ?? say("the_loss"), value: show(state.values[n]), gradient: show(state.arrives[n] ?? 0) }));
      set(drawing, { "aria-label": say("graph_spoken", { nodes: heard.join("; ") }) });
      text.textContent = explain(say, chosen, state, target, drawn);
      voice.say(text.textContent);
    };
    return keepDrawn(model, root, ["mu", "logvar", "eps", "target", "z_is", "follow"], draw);
  },
};
