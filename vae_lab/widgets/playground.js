// A small VAE that trains in the page: the controls, and the loop that steps and draws.

const TRAITS = { beta: "beta", decoderSigma: "decoder_sigma", learningRate: "learning_rate", estimator: "estimator" };
const HIDDEN = { plane: [32, 32], digits: [64] }, LEAST_POINTS = 8, HASH = "#vae:";
// The milliseconds that a frame's script may take, and the most steps; those of a frame that repeats a link's steps. Where
// motion is not wanted, a frame comes twice a second.
const pacing = () => ({ script: framePace(), steps: 8, repeating: 14, next: (call) => requestAnimationFrame(call), stop: (id) => cancelAnimationFrame(id) });
const CALM_PACE = { script: () => 100, steps: 100, repeating: 120, next: (call) => setTimeout(call, 500), stop: (id) => clearTimeout(id) };
const EXAMPLES_A_FRAME = 128, LOOK_AROUND = 30; // that are put through the encoder again; frames after which colours and width are read again
const MOMENT = 1400, LAST_MOMENT = 5, WHOLE = 9; // milliseconds; a slow step has moments 0 to 5; all that the graph shows

export default {
  render({ model, el }) {
    const say = wordsOf(model), digits = digitImages(model.get("digits"));
    const put = (changes) => { for (const [trait, value] of Object.entries(changes)) model.set(trait, value); model.save_changes(); };
    let run = null, history = lossHistory(), all = null, made = "", mode = "still", moment = WHOLE, waiting = 0, timer = 0, restoring = null, spoken = "";

    const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM_PACE : pacing();

    // -- the run --
    const settings = () => Object.fromEntries(Object.entries(TRAITS).map(([name, trait]) => [name, model.get(trait)]));
    const data = () => {
      const name = model.get("data");
      return name === "digits" ? digits : name === "drawn" ? drawnPoints(model.get("points")) : cloud(name);
    };
    const begin = () => {
      const examples = data();
      history = lossHistory();
      moment = WHOLE;
      run = examples.count < LEAST_POINTS ? null
        : trainer(examples, { hidden: examples.inputs > 2 ? HIDDEN.digits : HIDDEN.plane, latent: model.get("latent_dim"), seed: model.get("seed"), settings: settings() });
      shown = examples;
      all = run && survey(run);
    };
    let shown = null;
    // Bring the run in line with the traits: another data set, latent dimension or seed begins anew.
    const follow = () => (run ? Math.min(model.get("follow"), run.data.count - 1) : 0);
    const sync = () => {
      const wanted = JSON.stringify([model.get("data"), model.get("latent_dim"), model.get("seed"), model.get("data") === "drawn" && model.get("points")]);
      if (wanted !== made) { made = wanted; begin(); if (!run) halt(); }
      if (run && !restoring) for (const [name, value] of Object.entries(settings())) run.change(name, value);
    };
    const once = () => {
      const { distortion, rate, finite } = run.step();
      if (finite) history.put(distortion, rate); else halt();
    };

    // -- running, slow motion, one step, back to where a link leads --
    const halt = () => {
      mode = "still";
      restoring = null;
      pace.stop(waiting);
      clearTimeout(timer);
    };
    // A frame of a run: steps for as long as there is time, less what drawing took before; then what there is time to draw.
    const tick = (time = performance.now()) => {
      if (!root.isConnected) return halt();
      const begun = performance.now(), allowed = pace.script(time), hasTime = (kept) => performance.now() - begun < allowed - kept;
      if (restoring) {
        while (performance.now() - begun < pace.repeating && run.state.steps < restoring.steps && run.state.finite) {
          for (const c of restoring.changes) if (c.step === run.state.steps) run.change(c.name, c.value);
          once();
        }
        if (run.state.steps >= restoring.steps || !run.state.finite) {
          for (const c of restoring.changes) if (c.step === run.state.steps) run.change(c.name, c.value);
          const last = run.now;
          halt();
          put(Object.fromEntries(Object.entries(TRAITS).map(([name, trait]) => [trait, last[name]])));
        }
      } else {
        sync();
        for (let k = 0; run && k < pace.steps && mode === "run" && (!k || hasTime(drawing)); k++) once();
      }
      if (mode === "still") return draw();
      drawFrame(() => hasTime(0));
      waiting = pace.next(tick);
    };
    const slower = () => {
      if (!root.isConnected) return halt();
      moment = moment >= LAST_MOMENT ? 0 : moment + 1;
      if (moment === 0 && !started) once(); // the step that the last round has shown
      started = false;
      draw();
      timer = setTimeout(slower, MOMENT);
    };
    let started = false;
    const go = (wanted) => {
      const stop = mode === wanted;
      halt();
      moment = WHOLE;
      if (!stop && run) {
        mode = wanted;
        if (wanted === "slow") { started = true; slower(); } else tick();
      }
      draw();
    };
    const restore = (text) => {
      const found = fromLink(text, model.get("names"));
      if (!found) return;
      halt();
      put({ data: found.data, latent_dim: found.latent, seed: found.seed, follow: found.follow, points: found.points,
        ...Object.fromEntries(Object.entries(TRAITS).map(([name, trait]) => [trait, found.settings[name]])) });
      made = "";
      sync();
      if (!run) return draw();
      restoring = found;
      mode = "run";
      tick();
    };

    // -- controls --
    const log = (trait, label, min, max, places, name) => slider(model, {
      label, trait, min: Math.log10(min), max: Math.log10(max), step: 0.01, read: Math.log10, write: (v) => Number((10 ** v).toPrecision(3)),
      text: (v) => show(10 ** v, places(10 ** v)), spoken: (v) => say("spoken_setting", { name, value: show(10 ** v, places(10 ** v)) }),
    });
    const fine = (v) => (v < 0.1 ? 3 : v < 10 ? 2 : 0);
    const sliders = [
      log("beta", say("beta"), 0.01, 100, fine, "beta"), log("decoder_sigma", say("decoder_sigma"), 0.03, 3, fine, say("decoder_sigma")),
      log("learning_rate", say("learning_rate"), 0.0003, 0.1, () => 4, say("learning_rate")),
      slider(model, { label: say("latent_dim"), trait: "latent_dim", min: 1, max: 6, step: 1, text: String }),
    ];
    const chosen = slider(model, { label: say("follow"), trait: "follow", min: 0, max: 255, step: 1, text: (v) => String(v + 1) });
    const kinds = choice(model, { label: say("data"), trait: "data", choices: model.get("names").map((name) => [name, say(`data_${name}`)]) });
    const estimators = choice(model, { label: say("estimator"), trait: "estimator", choices: KINDS.map((kind) => [kind, say(`estimator_${kind}`)]) });
    const buttons = {
      run: button(say("run"), () => go("run")), slow: button(say("slow"), () => go("slow")),
      step: button(say("step"), () => { halt(); moment = WHOLE; sync(); if (run) once(); draw(); }),
      over: button(say("over"), () => { halt(); made = ""; draw(); }),
      other: button(say("other"), () => { halt(); put({ seed: (model.get("seed") + 1) % 10000 }); }),
      clear: button(say("clear"), () => { halt(); put({ points: [] }); }),
      link: button(say("link"), () => {
        if (!run) return;
        const text = toLink({ data: model.get("data"), points: model.get("points"), run, follow: follow() });
        put({ link: text });
        address.value = globalThis.drawWidgets ? `${location.href.split("#")[0]}${HASH}${text}` : text;
        addressRow.hidden = false;
        address.focus();
        address.select();
        navigator.clipboard?.writeText(address.value).then(() => { spoken = ""; voice.say(say("copied")); }, () => {});
      }),
    };
    const address = html("input", { type: "text", readonly: true, "aria-label": say("address"), class: "vl-address" });
    const addressRow = html("p", { hidden: true }, address, html("span", { class: "vl-quiet" }, say("address_hint")));

    // -- pictures --
    const graph = playgroundGraph(say), latent = latentPlane(say), charts = [lossChart(say, "chart_distortion", 0, "var(--vl-blue)"), lossChart(say, "chart_rate", 1, "var(--vl-green)")];
    const bars = rateBars(say);
    const points = dataPlane(say, {
      add: (point) => put({ points: [...model.get("points"), point].slice(-POINTS) }),
      choose: ([a, b]) => {
        if (!run) return;
        const v = run.data.values, away = (i) => (v[2 * i] - a) ** 2 + (v[2 * i + 1] - b) ** 2;
        let nearest = 0;
        for (let i = 1; i < run.data.count; i++) if (away(i) < away(nearest)) nearest = i;
        put({ follow: nearest });
      },
    });
    const explanation = html("p", { class: "vl-explanation vl-graph-text" }), status = html("p", { class: "vl-status" }), legend = html("p", { class: "vl-quiet vl-legend" });
    const voice = announcer();
    const half = (title, ...parts) => html("section", { class: "vl-half", "aria-label": title }, html("p", { class: "vl-title" }, title), ...parts);
    const root = frame(say("title"), kinds.root, estimators.root, html("div", { class: "vl-controls" }, ...sliders.map((s) => s.root)),
      html("div", { class: "vl-row" }, buttons.run, buttons.step, buttons.slow, buttons.over, buttons.other, buttons.clear),
      status, graph.root, explanation,
      html("div", { class: "vl-halves vl-planes" }, half(say("data_title"), points.root), half(say("latent_title"), latent.canvas)), chosen.root, legend,
      html("div", { class: "vl-two" }, ...charts.map((c) => c.root)), bars.root,
      html("div", { class: "vl-row" }, buttons.link), addressRow, voice.root);
    el.append(root);

    const inWords = (seen) => {
      if (!run) return say("status_points", { count: model.get("points").length, least: LEAST_POINTS });
      if (!run.state.finite) return say("status_runaway", { steps: run.state.steps });
      if (restoring) return say("status_restoring", { steps: run.state.steps, all: restoring.steps });
      if (!run.state.steps) return say("status_fresh");
      const rate = all.rate.reduce((a, b) => a + b, 0), values = { steps: run.state.steps, rate: show(rate), active: all.active, latent: run.latent };
      return say(all.active ? "status_active" : "status_collapsed", values);
    };
    // What is there to draw in; read in a run now and then only, for reading makes the browser lay out what was written.
    const room = { width: 0, pair: 0, size: 0, colours: null, stale: true };
    const lookAround = () => {
      const width = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), pair = width < 560 ? width : (width - 24) / 2;
      Object.assign(room, { width, pair, size: Math.min(pair, 380), colours: palette(root), stale: false });
    };
    const drawControls = () => {
      [...sliders, chosen, kinds, estimators].forEach((c) => c.update());
      for (const name of ["run", "slow"]) {
        const on = mode === name && !restoring;
        set(buttons[name], { "aria-pressed": on ? "true" : "false" });
        setText(buttons[name], say(on ? "pause" : name));
      }
      for (const name of ["run", "slow", "step", "link"]) buttons[name].disabled = !run || (name !== "link" && !run.state.finite) || Boolean(restoring);
      buttons.clear.hidden = model.get("data") !== "drawn";
      set(chosen.root.querySelector("input"), { max: Math.max(0, shown.count - 1) });
    };
    const drawWords = (seen) => {
      if (run) {
        const heard = { data: asLength(seen.phiFromData), rate: asLength(seen.phiFromRate), both: asLength(seen.phi) };
        setText(explanation, mode === "slow" ? say(moment === 4 ? `moment_4_${run.now.estimator}` : `moment_${moment}`, { ...heard, distortion: show(seen.distortion), price: show(seen.rate), loss: show(seen.loss), beta: show(run.now.beta) })
          : say(`explain_${run.now.estimator}`, heard));
      }
      setText(status, inWords(seen));
      setText(legend, say(shown.inputs > 2 ? "legend_digits" : model.get("data") === "drawn" ? "legend_drawn" : "legend_points") + (model.get("latent_dim") === 1 ? ` ${say("legend_one")}` : ""));
    };
    // Each frame of a run draws one of what moves and one of what is read, in turns, and more where there is time.
    const planes = [
      { root: points.canvas, draw: (seen) => points.draw(room.size, run, seen, follow(), room.colours, shown, model.get("data") === "drawn") },
      { root: latent.canvas, draw: (seen) => latent.draw(room.size, run, seen, all, follow(), room.colours) },
    ];
    const readings = [
      { root: graph.root, draw: (seen) => graph.draw(room.width, run, seen, moment) },
      { root, draw: (seen) => { drawControls(); drawWords(seen); } },
      ...charts.map((chart) => ({ root: chart.root, draw: () => chart.draw(room.pair, history) })),
      { root: bars.root, draw: () => bars.draw(room.width, all.rate) },
    ];
    const inSight = sight([...planes, ...readings].map((picture) => picture.root)), plane = turns(planes, inSight.has), reading = turns(readings, inSight.has), never = () => false;
    let frames = 0, drawing = 0; // milliseconds that a frame's drawing takes
    const drawFrame = (hasTime) => {
      if (room.stale || frames++ % LOOK_AROUND === 0) lookAround();
      if (!(room.width > 0)) return;
      const begun = performance.now(), seen = inspect(run, follow());
      surveyAgain(run, all, EXAMPLES_A_FRAME);
      plane(never, seen);
      reading(never, seen);
      drawing += 0.1 * (performance.now() - begun - drawing);
      if (hasTime()) { plane(never, seen); reading(hasTime, seen); }
    };
    // All of it, as it is now.
    const draw = () => {
      sync();
      lookAround();
      if (!(room.width > 0)) return;
      const seen = run && inspect(run, follow());
      all = run && survey(run);
      graph.root.style.display = explanation.style.display = run ? "" : "none";
      drawControls();
      planes[0].draw(seen);
      if (run) [planes[1], ...readings].forEach((picture) => picture.draw(seen));
      drawWords(seen);
      if (mode !== "run") describe(seen);
    };
    // What a screen reader hears and pictures are called: when the run rests, not sixty times a second.
    const describe = (seen) => {
      if (!run) { voice.say(status.textContent); return; }
      set(graph.root, { "aria-label": say("graph_spoken", { x: asVector(seen.x), mu: asVector(seen.mu), sigma: asVector(seen.sigma), z: asVector(seen.z), distortion: show(seen.distortion), rate: show(seen.rate), data: asLength(seen.phiFromData), price: asLength(seen.phiFromRate) }) });
      set(latent.canvas, { "aria-label": say("latent_spoken", { active: all.active, latent: run.latent, sigma: show(moments(all.sigma).mean) }) });
      set(points.canvas, { "aria-label": say(run.data.inputs > 2 ? "data_spoken_digits" : "data_spoken_points", { count: run.data.count }) });
      const text = mode === "slow" ? explanation.textContent : `${status.textContent} ${explanation.textContent}`;
      if (text !== spoken) { spoken = text; voice.say(text); }
    };
    set(latent.canvas, { "aria-label": say("latent_title") });
    set(points.canvas, { "aria-label": say("data_title") });

    const arrive = () => { if (root.isConnected && location.hash.startsWith(HASH)) restore(decodeURIComponent(location.hash.slice(HASH.length))); };
    const given = globalThis.drawWidgets && location.hash.startsWith(HASH) ? decodeURIComponent(location.hash.slice(HASH.length)) : model.get("link");
    if (globalThis.drawWidgets) addEventListener("hashchange", arrive);
    if (given) requestAnimationFrame(() => restore(given)); // once there is room to draw in
    const leave = keepDrawn(model, root, ["data", "latent_dim", "seed", "points", "follow", ...Object.values(TRAITS)], () => { room.stale = true; if (mode !== "run") draw(); });
    return () => { halt(); leave(); inSight.stop(); removeEventListener("hashchange", arrive); };
  },
};
