// Loaded after katex.min.js, on pages with formulas only: draws each formula in the place of its text.
"use strict";
{
// A comma after a short formula stays on its line: a browser may break on both sides of what KaTeX draws.
function keepTogether(place, length) {
  const next = place.nextSibling, mark = next?.nodeType === Node.TEXT_NODE && /^[^\s\w]+/.exec(next.data)?.[0];
  if (!mark || length > 40) return;
  const one = document.createElement("span");
  one.style.whiteSpace = "nowrap";
  place.before(one);
  one.append(place, mark);
  next.data = next.data.slice(mark.length);
}

function draw(place) {
  for (const text of [...place.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) {
    const drawn = document.createElement("span");
    const block = place.tagName === "DIV";
    katex.render(text.data.trim().replace(/^\\[[(]|\\[\])]$/g, ""), drawn, { displayMode: block, throwOnError: false });
    text.replaceWith(drawn);
    keepTogether(place, text.data.length);
  }
}

// Those that the page opens on are drawn at once; the others when it is painted and its interaction had its turn.
const FIRST = 20;
const places = [...document.querySelectorAll(".math")];
const drawSome = (count) => places.splice(0, count).forEach(draw);
const drawRest = () => drawSome(places.length);
if (location.hash || document.hidden) drawRest(); // the page opens further down; nothing will be painted
else {
  drawSome(FIRST);
  requestAnimationFrame(() => setTimeout(drawRest));
}
addEventListener("beforeprint", drawRest);
} // nothing of this is seen by the theme's scripts
