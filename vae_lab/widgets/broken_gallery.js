// Seven patients, seven diagnoses: curves, numbers and pictures of each VAE, and feedback for every answer.

export default {
  render({ model, el }) {
    const say = wordsOf(model), patients = model.get("patients"), diagnoses = model.get("diagnoses");
    const letter = (k) => String.fromCharCode(65 + k);
    const tabs = patients.map((_, k) => button(letter(k), () => {
      model.set("patient", k);
      model.set("diagnosis", "");
      model.save_changes();
    }));
    tabs.forEach((tab, k) => tab.setAttribute("aria-label", say("patient_spoken", { letter: letter(k) })));
    const loss = svg("svg", { role: "img" }), kl = svg("svg", { role: "img" });
    const numbers = Array.from({ length: 4 }, () => html("td"));
    const names = ["last_kl", "true_kl", "sigma", "spread"];
    const table = html("table", {}, html("tbody", {}, ...names.map((n, i) => html("tr", {}, html("th", { scope: "row" }, say(n)), numbers[i]))));
    const rows = { originals: pictureRow(say("originals")), reconstructions: pictureRow(say("reconstructions")), draws: pictureRow(say("draws")) };
    rows.originals.put(model.get("originals"));
    const answers = choice(model, { label: say("question"), trait: "diagnosis", choices: diagnoses.map((name) => [name, say(`line_${name}`)]) });
    answers.root.classList.add("vl-answers");
    const feedback = html("p", { class: "vl-feedback", role: "status" });
    const root = frame(say("title"),
      html("div", { class: "vl-row", role: "group", "aria-label": say("patients") }, html("span", { "aria-hidden": "true" }, say("patient")), ...tabs),
      html("div", { class: "vl-two" }, loss, kl), table, html("div", { class: "vl-picture-rows" }, ...Object.values(rows).map((r) => r.root)),
      answers.root, feedback);
    el.append(root);

    const draw = () => {
      answers.update();
      const k = model.get("patient"), patient = patients[k], answer = model.get("diagnosis");
      tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === k)));
      const whole = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), width = whole < 520 ? whole : (whole - 16) / 2;
      epochChart(loss, width, patient.loss, { title: say("loss"), below: say("epoch") });
      epochChart(kl, width, patient.kl, { title: say("kl"), below: say("epoch") });
      const last = (list) => list[list.length - 1];
      set(loss, { "aria-label": say("loss_spoken", { letter: letter(k), first: show(patient.loss[0]), last: show(last(patient.loss)), epochs: patient.loss.length }) });
      set(kl, { "aria-label": say("kl_spoken", { letter: letter(k), first: show(patient.kl[0]), last: show(last(patient.kl)) }) });
      [last(patient.kl), patient.true_kl, patient.sigma, patient.drawn_sigma].forEach((value, i) => { numbers[i].textContent = show(value, 3); });
      rows.reconstructions.put(patient.reconstructions);
      rows.draws.put(patient.draws);
      feedback.classList.toggle("vl-right", answer === patient.name);
      feedback.textContent = answer ? say(answer === patient.name ? "right" : "wrong", { line: say(`line_${answer}`), shows: say(`shows_${answer}`) }) : say("look", { letter: letter(k) });
    };
    return keepDrawn(model, root, ["patient", "diagnosis"], draw);
  },
};
