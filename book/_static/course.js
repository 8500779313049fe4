// What the course's own boxes do beyond plain HTML. Without it every page still reads and unfolds.
"use strict";
{
const said = (text) => globalThis.courseWords?.[text] ?? text; // another language's book loads words.js first
// -- the arrow keys turn the page, but not while a quiz, code or an interaction has the focus, or was clicked last --
// Sphinx listens on the document, too, from when the page is complete; this listener came before.
const WORKPLACES = ".course-quiz, .course-solution, .highlight, div.cell, .vae-lab, .widget-subarea, .vae-graph-holder, table";
let clicked = null;
const workplaceOf = (element) => element?.closest?.(WORKPLACES) ?? null;
document.addEventListener("pointerdown", (event) => { clicked = workplaceOf(event.target); }, true);
document.addEventListener("focusin", (event) => { clicked = workplaceOf(event.target); });
document.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow")) return;
  if (workplaceOf(event.target) || (clicked?.isConnected && event.target === document.body)) event.stopImmediatePropagation();
});

// -- quizzes: choose, then check; what was chosen is remembered in this browser --
const kept = { // a browser may forbid it
  get(key) { try { return JSON.parse(localStorage.getItem(`vae-lab quiz ${key}`)); } catch { return null; } },
  set(key, value) {
    try {
      if (value) localStorage.setItem(`vae-lab quiz ${key}`, JSON.stringify(value));
      else localStorage.removeItem(`vae-lab quiz ${key}`);
    } catch { /* then it is forgotten */ }
  },
};

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function askFirst(quiz, number) {
  const folds = [...quiz.querySelectorAll(":scope > details")];
  const isRight = folds.map((fold) => fold.classList.contains("course-right"));
  const rights = isRight.filter(Boolean).length;
  const inputs = folds.map((fold) => {
    const summary = fold.querySelector("summary"), text = make("span", {}, ...summary.childNodes);
    const input = make("input", { type: rights > 1 ? "checkbox" : "radio", name: `quiz-${number}` });
    const spoken = text.cloneNode(true); // a formula is there twice: drawn, and as MathML, which is what is read out
    spoken.querySelectorAll(".katex-html").forEach((drawn) => drawn.remove());
    if (text.querySelector(".katex")) input.setAttribute("aria-label", spoken.textContent.trim());
    const choice = make("div", { className: "choice" }, make("label", {}, input, text));
    summary.append(said("Why?"));
    fold.replaceWith(choice);
    choice.append(fold);
    return input;
  });
  const check = make("button", { type: "button", className: "check", textContent: said("Check"), disabled: true });
  const again = make("button", { type: "button", className: "again", textContent: said("Try again"), hidden: true });
  const verdict = make("p", { className: "said" });
  verdict.setAttribute("role", "status");
  quiz.append(make("div", { className: "quiz-foot" }, check, again, verdict));
  quiz.classList.add("asks");

  const chosen = () => inputs.flatMap((input, i) => (input.checked ? [i] : []));
  const save = (checked) => kept.set(quiz.dataset.key, chosen().length ? { chosen: chosen(), checked } : null);

  function showVerdict() {
    quiz.classList.add("checked");
    inputs.forEach((input, i) => { folds[i].open = input.checked; input.disabled = true; });
    const found = chosen().filter((i) => isRight[i]).length, wrong = chosen().length - found;
    const all = found === rights && !wrong;
    const verdictOf = rights === 1 ? (all ? said("Right.") : said("Not this one. Read why, and try again."))
      : all ? said("Right: all {rights}.")
      : !wrong ? said("{found} of the {rights} right ones found.")
      : wrong === 1 ? said("{found} of the {rights} right ones found, and 1 that is not right.")
      : said("{found} of the {rights} right ones found, and {wrong} that are not right.");
    const numbers = { found, rights, wrong };
    verdict.textContent = verdictOf.replace(/\{(\w+)\}/g, (place, name) => numbers[name] ?? place);
    [check.hidden, again.hidden] = [true, false];
  }
  function startAgain() {
    quiz.classList.remove("checked");
    folds.forEach((fold) => { fold.open = false; });
    inputs.forEach((input) => { input.disabled = input.checked = false; });
    verdict.textContent = "";
    [check.hidden, check.disabled, again.hidden] = [false, true, true];
    save(false);
    inputs[0].focus();
  }
  inputs.forEach((input) => input.addEventListener("change", () => {
    check.disabled = !chosen().length;
    save(false);
  }));
  check.addEventListener("click", () => { showVerdict(); save(true); again.focus(); });
  again.addEventListener("click", startAgain);

  const before = kept.get(quiz.dataset.key);
  if (Array.isArray(before?.chosen) && before.chosen.every((i) => i in inputs)) {
    before.chosen.forEach((i) => { inputs[i].checked = true; });
    check.disabled = !before.chosen.length;
    if (before.checked && before.chosen.length) showVerdict();
  }
}

// -- the same place in the other language --
function keepPlace() {
  for (const link of document.querySelectorAll("a.language-switch")) link.addEventListener("click", () => { link.hash = location.hash; });
}

const start = () => { document.querySelectorAll(".course-quiz").forEach(askFirst); keepPlace(); };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
} // nothing of this is seen by the theme's scripts
