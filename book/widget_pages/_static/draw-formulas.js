// Loaded after katex.min.js, on pages with formulas only: draws each formula in the place of its text.

for (const place of document.querySelectorAll(".math")) {
  for (const text of [...place.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) {
    const drawn = document.createElement("span");
    const block = place.tagName === "DIV";
    katex.render(text.data.trim().replace(/^\\[[(]|\\[\])]$/g, ""), drawn, { displayMode: block, throwOnError: false });
    text.replaceWith(drawn);
  }
}
