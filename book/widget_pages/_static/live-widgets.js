// Brings the interactions of a page to life, on pages whose widgets are all anywidgets (book/_ext/live_widgets.py sees to
// that). Such a widget is one module of JavaScript and its traits, both in the page: it needs none of the 3.5 MB of
// libraries that draw any widget there is.
"use strict";
{
const SUBTYPE = "application/vnd.jupyter.widget-";
const same = (a, b) => Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);

// What a widget sees of its traits (https://anywidget.dev/en/afm/): the widget manager's model, without a kernel behind.
function modelOf({ state, buffers = [] }) {
  const traits = structuredClone(state), heard = []; // heard: [event, callback], in the order of their coming
  for (const { path, data } of buffers) { // bytes travel apart from the other traits
    const last = path.at(-1), holder = path.slice(0, -1).reduce((inside, key) => inside[key], traits);
    holder[last] = new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  }
  const tell = (event, ...news) => heard.filter(([name]) => name === event).forEach(([, callback]) => callback(...news));
  const model = {
    get: (name) => traits[name],
    set(name, value) {
      if (same(traits[name], value)) return;
      traits[name] = value;
      tell(`change:${name}`, model, value);
      tell("change", model);
    },
    save_changes() {}, // there is nobody to save them for
    send() {},
    on(events, callback) { for (const event of events.split(" ")) heard.push([event, callback]); },
    off(events, callback) {
      const dropped = (name, known) => (!events || events.split(" ").includes(name)) && (!callback || known === callback);
      for (let i = heard.length - 1; i >= 0; i--) if (dropped(...heard[i])) heard.splice(i, 1);
    },
  };
  return model;
}

// Modules and styles come once, however many widgets share them.
const modules = new Map(), styles = new Set();

async function moduleOf(source) {
  if (!modules.has(source)) modules.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
  const found = (await modules.get(source)).default;
  return typeof found === "function" ? found() : found;
}

function dress(css) {
  if (!css || styles.has(css)) return;
  styles.add(css);
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
}

// Draw all widgets inside `root`; resolves when all are there.
async function drawWidgets(root = document) {
  const all = (kind) => [...root.querySelectorAll(`script[type="${SUBTYPE}${kind}+json"]`)];
  const kept = Object.assign({}, ...all("state").map((script) => JSON.parse(script.textContent).state));
  const living = new Map();

  const live = (id) => { // several views of one widget share its model
    if (!living.has(id)) {
      living.set(id, (async () => {
        const model = modelOf(kept[id]), widget = await moduleOf(model.get("_esm"));
        await widget.initialize?.({ model, signal: new AbortController().signal });
        return { model, widget };
      })());
    }
    return living.get(id);
  };
  const draw = async (script) => {
    const { model, widget } = await live(JSON.parse(script.textContent).model_id);
    dress(model.get("_css"));
    const el = document.createElement("div");
    el.className = "widget-subarea";
    script.after(el);
    await widget.render?.({ model, el, signal: new AbortController().signal });
  };
  await Promise.all(all("view").map((script) => draw(script).catch((error) => console.error("A widget could not be drawn.", error))));
}

globalThis.drawWidgets = drawWidgets; // for a page that gets its widgets later
drawWidgets();
} // nothing of this is seen by the theme's scripts
