// Loaded between require.js and embed-amd.js, on pages with widgets only: where their modules lie. They lie beside the
// page, so that it works from file:// and nothing is asked of a content network.
(() => {
  const vendor = new URL("vendor/", document.currentScript.src).href;
  requirejs.config({
    paths: {
      anywidget: `${vendor}anywidget-0.11.0/index`,
      "@jupyter-widgets/html-manager": `${vendor}html-manager-1.0.15`,
    },
  });
})();
