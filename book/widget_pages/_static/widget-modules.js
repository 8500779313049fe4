// Loaded between require.js and embed-amd.js, on pages with other widgets than anywidgets only.

// Where the modules of the widgets lie: beside the page, so that it works from file:// and asks no content network.
(() => {
  const vendor = new URL("vendor/", document.currentScript.src).href;
  requirejs.config({
    paths: {
      anywidget: `${vendor}anywidget-0.11.0/index`,
      "@jupyter-widgets/html-manager": `${vendor}@jupyter-widgets/html-manager-1.0.15`,
    },
  });
})();

// embed-amd.js brings style sheets of an old icon font. They would overrule the theme's own icons, and none of our
// interactions draws an icon: take them out as they come in, before the browser asks for the font.
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      if (node.nodeName === "STYLE" && node.textContent.includes("Font Awesome")) node.remove();
    }
  }
}).observe(document.head, { childList: true });
