// Seven patients, seven diagnoses: curves, numbers and pictures of each VAE, and feedback for every answer.

const HEIGHT = 210, MARGIN = { top: 24, bottom: 40, left: 58 };

function chart(drawing, width, values, title) {
  // a tenth of a nat at least: what is nearly 0 all the time is to look like 0, and ticks are told apart
  const bottom = HEIGHT - MARGIN.bottom, low = Math.min(0, ...values), high = Math.max(0.1, Math.max(...values) * 1.05);
  const x = linear([1, values.length], [MARGIN.left + 8, width - 10]), y = linear([low, high], [bottom, MARGIN.top]);
  const size = 10 ** Math.floor(Math.log10(high - low)), step = (high - low) / size > 5 ? 2 * size : (high - low) / size > 2 ? size : size / 2;
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high; t += step) ticks.push(t);
  set(drawing, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
  drawing.replaceChildren(
    svg("path", { class: "vl-axis", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${width}` }), svg("text", { x: 2, y: 13 }, title),
    ...leftAxis(MARGIN.left, y, ticks, step < 0.1 ? 2 : step < 1 ? 1 : 0), ...bottomAxis(x, bottom, [1, 4, 8, 12].filter((e) => e <= values.length)),
    svg("text", { x: (MARGIN.left + width) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, "epoch"),
    svg("path", { d: `M${values.map((v, i) => `${x(i + 1)} ${y(v)}`).join("L")}`, stroke: "var(--vl-blue)", "stroke-width": 2.5, fill: "none" }));
}

export default {
  render({ model, el }) {
    const patients = model.get("patients"), diagnoses = model.get("diagnoses");
    const letter = (k) => String.fromCharCode(65 + k);
    const tabs = patients.map((_, k) => button(letter(k), () => {
      model.set("patient", k);
      model.set("diagnosis", "");
      model.save_changes();
    }));
    tabs.forEach((tab, k) => tab.setAttribute("aria-label", `patient ${letter(k)}`));
    const loss = svg("svg", { role: "img" }), kl = svg("svg", { role: "img" });
    const numbers = Array.from({ length: 4 }, () => html("td"));
    const names = ["KL in the loss, last epoch", "KL by the right formula, test images", "\u03c3, as the encoder says", "spread of z, measured"];
    const table = html("table", {}, html("tbody", {}, ...names.map((n, i) => html("tr", {}, html("th", { scope: "row" }, n), numbers[i]))));
    const rows = { originals: pictureRow("six test images"), reconstructions: pictureRow("their reconstructions"), draws: pictureRow("six draws from the prior") };
    rows.originals.put(model.get("originals"));
    const answers = choice(model, { label: "What is wrong with it?", trait: "diagnosis", choices: diagnoses.map((d) => [d.name, d.line]) });
    answers.root.classList.add("vl-answers");
    const feedback = html("p", { class: "vl-feedback", role: "status" });
    const root = frame("A gallery of broken VAEs: match bug to symptom",
      html("div", { class: "vl-row", role: "group", "aria-label": "patients" }, html("span", { "aria-hidden": "true" }, "Patient"), ...tabs),
      html("div", { class: "vl-two" }, loss, kl), table, html("div", { class: "vl-picture-rows" }, ...Object.values(rows).map((r) => r.root)),
      answers.root, feedback);
    el.append(root);

    const draw = () => {
      answers.update();
      const k = model.get("patient"), patient = patients[k], answer = diagnoses.find((d) => d.name === model.get("diagnosis"));
      tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === k)));
      const whole = root.clientWidth - 2 * parseFloat(getComputedStyle(root).paddingLeft), width = whole < 520 ? whole : (whole - 16) / 2;
      chart(loss, width, patient.loss, "loss, as it is reported");
      chart(kl, width, patient.kl, "KL term in the loss, nats per image");
      const last = (list) => list[list.length - 1];
      set(loss, { "aria-label": `Loss of patient ${letter(k)}: from ${show(patient.loss[0])} to ${show(last(patient.loss))} in ${patient.loss.length} epochs` });
      set(kl, { "aria-label": `KL term of patient ${letter(k)}: from ${show(patient.kl[0])} to ${show(last(patient.kl))}` });
      [last(patient.kl), patient.true_kl, patient.sigma, patient.drawn_sigma].forEach((value, i) => { numbers[i].textContent = show(value, 3); });
      rows.reconstructions.put(patient.reconstructions);
      rows.draws.put(patient.draws);
      feedback.classList.toggle("vl-right", answer?.name === patient.name);
      feedback.textContent = !answer ? `Look at patient ${letter(k)}, then choose.`
        : answer.name === patient.name ? `Right: ${answer.line}. ${answer.shows}`
          : `Not this one. ${answer.shows}`;
    };
    return keepDrawn(model, root, ["patient", "diagnosis"], draw);
  },
};
