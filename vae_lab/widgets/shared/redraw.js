// A drawing that is made again and again: what is there stays, and only what has changed is written.

// What an element is to be, without making one; children are marks, text, or elements that are there already.
const mark = (tag, attributes = {}, ...children) => ({ tag, attributes, children });

const written = new WeakMap(); // element -> its attributes, as they were last written here

// A hundredth of a pixel is nobody's to see: what moves less is not written.
const asWritten = (value) => (typeof value === "number" ? String(Math.round(value * 100) / 100) : value === true ? "" : String(value));

function redrawOne(node, { attributes, children }) {
  const before = written.get(node) ?? {}, after = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    after[name] = asWritten(value);
    if (before[name] !== after[name]) node.setAttribute(name, after[name]);
  }
  for (const name in before) if (!(name in after)) node.removeAttribute(name);
  written.set(node, after);
  redraw(node, ...children);
  return node;
}

// Let the children of `root` be `wanted`, in this order.
function redraw(root, ...wanted) {
  let node = root.firstChild;
  const place = (made) => { if (node) node.replaceWith(made); else root.append(made); node = made; };
  for (const one of wanted) {
    if (one instanceof Node) { if (node !== one) place(one); }
    else if (typeof one === "string") { if (node?.nodeType !== Node.TEXT_NODE) place(new Text(one)); else if (node.data !== one) node.data = one; }
    else if (written.has(node) && node.localName === one.tag) redrawOne(node, one);
    else place(redrawOne(document.createElementNS(SVG, one.tag), one));
    node = node.nextSibling;
  }
  while (node) { const next = node.nextSibling; node.remove(); node = next; }
}
