// A recorded graph, drawn in Python. Choose a node: the gradient's way to it is lit, or the place where it ends.

const GREEK = { mu: "\u03bc", sigma: "\u03c3", eps: "\u03b5", phi: "\u03c6", theta: "\u03b8", x_hat: "x\u0302", loss: "loss" };
const written = (id) => GREEK[id] ?? id;
const DRAWN = new Set(["svg", "g", "path", "rect", "ellipse", "circle", "line", "text", "tspan", "title", "desc", "style"]);

// The SVG text as elements of this page: only shapes and words come in, no script and no handler.
function drawn(text) {
  const picture = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  for (const node of [picture, ...picture.querySelectorAll("*")]) {
    if (!DRAWN.has(node.localName)) { node.remove(); continue; }
    for (const { name, value } of [...node.attributes]) if (name.startsWith("on") || /^\s*javascript:/i.test(value) || name.endsWith("href")) node.removeAttribute(name);
  }
  return picture;
}

// Data and noise: whatever it goes into, nobody asked for a gradient on the way back.
function unasked({ edges }, goal) {
  const own = edges.filter((e) => e.source === goal);
  return own.length > 0 && own.every((e) => e.verdict === "unasked");
}

// All edges on ways from the output back to the node along which the gradient passes; and where other ways end.
function follow(view, goal) {
  const { nodes, edges, output } = view;
  if (unasked(view, goal)) return { way: [], ends: edges.filter((e) => e.source === goal), arrives: false };
  const below = new Set([goal]); // everything computed from the goal
  for (let grew = true; grew;) {
    grew = false;
    for (const e of edges) if (below.has(e.source) && !below.has(e.target)) { below.add(e.target); grew = true; }
  }
  const reached = new Set([output]), way = [], ends = [];
  for (const { id } of [...nodes].reverse()) {
    for (const e of edges) {
      if (e.target !== id || !reached.has(id) || !below.has(e.source)) continue;
      if (e.verdict === "passes") { reached.add(e.source); way.push(e); } else ends.push(e);
    }
  }
  // A way counts if it goes on to the goal, or to a place where it is cut.
  const useful = new Set([goal, ...ends.map((e) => e.target)]);
  for (const e of [...way].reverse()) if (useful.has(e.source)) useful.add(e.target);
  return { way: way.filter((e) => useful.has(e.source)), ends, arrives: reached.has(goal) };
}

function explain(say, view, goal) {
  if (!goal) return say("choose");
  if (goal === view.output) return say("starts");
  const name = written(goal);
  if (unasked(view, goal)) return say("unasked", { name });
  const { way, ends, arrives } = follow(view, goal);
  const steps = way.map((e) => `${written(e.target)} \u2192 ${written(e.source)}`).join(", ") || written(view.output);
  const places = ends.map((e) => say(e.stopped_by ? "place_of" : "place", { target: written(e.target), source: written(e.source), operation: e.stopped_by })).join(", ");
  return say(!arrives ? "ends" : ends.length ? "arrives_and_ends" : "arrives", { name, steps, places });
}

export default {
  render({ model, el }) {
    const say = wordsOf(model), views = model.get("views");
    const which = choice(model, { label: say("which"), trait: "shown", choices: views.map((v, k) => [k, v.label]) });
    const nodes = html("fieldset", { class: "vl-nodes" });
    const holder = html("div", { class: "vl-holder" });
    const text = html("p", { class: "vl-explanation", role: "status" });
    const root = frame(say("title"), which.root, nodes, holder, text);
    el.append(root);
    const choose = (id) => { model.set("node", id); model.save_changes(); };

    // For each view: its picture, the groups of its nodes and edges in it, and a radio button for each node.
    const made = views.map((view) => {
      const picture = drawn(view.svg), groups = { nodes: new Map(), edges: new Map() };
      for (const group of picture.querySelectorAll("g")) {
        const title = group.querySelector(":scope > title")?.textContent ?? "";
        const edge = view.edges.find((e) => title.startsWith(`${e.source} \u2192 ${e.target}:`) || title === `${e.source} \u2192 ${e.target}`);
        const node = view.nodes.find((n) => title.startsWith(`${n.id}: `));
        if (edge) groups.edges.set(edge, group);
        else if (node) groups.nodes.set(node.id, group);
      }
      for (const [id, group] of groups.nodes) {
        group.setAttribute("style", "cursor: pointer");
        group.addEventListener("click", () => choose(id));
      }
      const name = uniqueId("node");
      const radios = view.nodes.map(({ id }) => {
        const input = html("input", { type: "radio", name, value: id });
        input.addEventListener("change", () => choose(id));
        return { id, input, label: html("label", {}, input, written(id)) };
      });
      return { picture, groups, radios };
    });

    let shown = -1;
    const draw = () => {
      which.update();
      const k = clamp(model.get("shown"), 0, views.length - 1), view = views[k], { picture, groups, radios } = made[k];
      if (k !== shown) {
        shown = k;
        holder.replaceChildren(picture);
        nodes.replaceChildren(html("legend", {}, say("follow")), ...radios.map((r) => r.label));
      }
      const goal = view.nodes.some((n) => n.id === model.get("node")) ? model.get("node") : "";
      radios.forEach((r) => { r.input.checked = r.id === goal; });
      const { way, ends } = goal ? follow(view, goal) : { way: view.edges, ends: [] };
      const lit = new Set([...way, ...ends]);
      groups.edges.forEach((group, edge) => { group.style.opacity = lit.has(edge) ? "1" : "0.25"; });
      groups.nodes.forEach((group, id) => group.classList.toggle("vl-goal", id === goal));
      text.textContent = explain(say, view, goal);
    };
    return keepDrawn(model, root, ["shown", "node"], draw);
  },
};
