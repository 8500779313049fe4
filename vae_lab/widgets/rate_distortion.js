// Nine trained VAEs on the plane of rate and distortion; a slider walks along them.

const HEIGHT = 330, MARGIN = { top: 26, bottom: 42, left: 46 };

export default {
  render({ model, el }) {
    const say = wordsOf(model), models = model.get("models");
    const beta = slider(model, {
      label: say("beta"), trait: "chosen", min: 0, max: models.length - 1, step: 1,
      text: (k) => String(models[k].beta), spoken: (k) => say("beta_spoken", { beta: models[k].beta }),
    });
    const drawing = svg("svg", { role: "img" });
    const text = html("p", { class: "vl-prices" });
    const rows = { originals: pictureRow(say("originals")), reconstructions: pictureRow(say("reconstructions")), draws: pictureRow(say("draws")) };
    rows.originals.put(model.get("originals"));
    const voice = announcer();
    const root = frame(say("title"), beta.root, drawing, text, html("div", { class: "vl-picture-rows" }, ...Object.values(rows).map((r) => r.root)), voice.root);
    el.append(root);

    const draw = () => {
      beta.update();
      const chosen = model.get("chosen"), here = models[chosen];
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), right = width - 6, bottom = HEIGHT - MARGIN.bottom;
      const most = 5 * Math.ceil(Math.max(...models.map((m) => m.rate)) / 5);
      const x = linear([0, most], [MARGIN.left, right - 10]), y = linear([70, 215], [bottom, MARGIN.top]);
      // All points of one line of slope -beta cost this model's training the same.
      const price = (rate) => here.distortion - here.beta * (rate - here.rate);
      const inside = (rate) => clamp(rate, 0, most), cut = (d) => (here.beta ? here.rate - (d - here.distortion) / here.beta : 0);
      const [r0, r1] = [inside(cut(212)), inside(cut(73))];
      set(drawing, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
      drawing.replaceChildren(
        svg("path", { class: "vl-axis", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}` }),
        ...leftAxis(MARGIN.left, y, [80, 100, 120, 140, 160, 180, 200]), ...bottomAxis(x, bottom, Array.from({ length: Math.floor(most / 10) + 1 }, (_, i) => 10 * i)),
        svg("text", { x: 2, y: 14 }, say("distortion")),
        svg("text", { x: (MARGIN.left + right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, say("rate")),
        svg("path", { d: `M${x(r0)} ${y(price(r0))}L${x(r1)} ${y(price(r1))}`, stroke: "var(--vl-orange)", "stroke-width": 1.5, "stroke-dasharray": "6 4", fill: "none" }),
        svg("path", { d: `M${models.map((m) => `${x(m.rate)} ${y(m.distortion)}`).join("L")}`, stroke: "var(--vl-blue)", "stroke-width": 1.5, fill: "none", opacity: 0.6 }),
        ...models.map((m, k) => {
          const dot = svg("circle", { class: "vl-model", cx: x(m.rate), cy: y(m.distortion), r: k === chosen ? 8 : 5, fill: k === chosen ? "var(--vl-orange)" : "var(--vl-blue)", style: "cursor: pointer" });
          dot.addEventListener("click", () => { model.set("chosen", k); model.save_changes(); });
          return dot;
        }),
        svg("text", { x: Math.min(x(here.rate) + 13, right - 60), y: y(here.distortion) - 9, "font-weight": 650, "paint-order": "stroke", stroke: "var(--vl-paper)", "stroke-width": 4 }, `\u03b2 = ${here.beta}`));
      const sum = here.rate + here.distortion, best = models.reduce((a, b) => (a.rate + a.distortion < b.rate + b.distortion ? a : b));
      const values = { rate: show(here.rate), distortion: show(here.distortion), sum: show(sum), best: show(best.rate + best.distortion), best_beta: best.beta, beta: here.beta };
      text.textContent = say(best === here ? "prices_best" : "prices", values);
      rows.reconstructions.put(here.reconstructions);
      rows.draws.put(here.draws);
      set(drawing, { "aria-label": say("drawing", values) });
      voice.say(`${say("beta_spoken", values)}. ${text.textContent}`);
    };
    return keepDrawn(model, root, ["chosen"], draw);
  },
};
