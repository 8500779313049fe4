// Where the latent explorer's point goes: which latents the plane shows, and a walk to a new draw.

const STRIDES = 30, STRIDE = 80; // milliseconds for a stride

const inside = (value) => clamp(Math.round(100 * value) / 100, -LIMIT, LIMIT);
const named = (axis) => "z" + [...String(axis + 1)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join("");

// Which latents the plane shows, for a model that has more than two.
function axesChoice(model, say) {
  const root = html("div", { class: "vl-row" }), count = model.get("z").length;
  if (count < 3) return { root, update: () => {} };
  const selects = ["across", "upwards"].map((key, side) => {
    const id = uniqueId(key), select = html("select", { id }, ...Array.from({ length: count }, (_, k) => html("option", { value: k }, named(k))));
    select.addEventListener("change", () => {
      const axes = [...model.get("axes")], chosen = Number(select.value);
      if (axes[1 - side] === chosen) axes[1 - side] = axes[side]; // never the same twice: they change places
      axes[side] = chosen;
      model.set("axes", axes);
      model.save_changes();
    });
    root.append(html("label", { for: id }, say(key)), select);
    return select;
  });
  return { root, update: () => selects.forEach((select, side) => { select.value = model.get("axes")[side]; }) };
}

// Go from here to a new draw in a straight line, one stride after the other, unless somebody moves the point meanwhile.
function walker(model) {
  let timer = 0, last = "";
  const stop = () => clearTimeout(timer);
  const go = () => {
    stop();
    const from = model.get("z"), to = Array.from(normals(from.length), inside);
    const strides = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : STRIDES;
    last = String(from);
    const step = (k) => {
      if (String(model.get("z")) !== last) return;
      const z = from.map((value, i) => inside(value + (k / strides) * (to[i] - value)));
      last = String(z);
      model.set("z", z);
      model.save_changes();
      if (k < strides) timer = setTimeout(step, STRIDE, k + 1);
    };
    step(1);
  };
  return { go, stop };
}
