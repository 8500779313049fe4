// Drawing on a canvas in the colours of the page.

// A canvas that is as sharp as the screen; `ready(width, height)` gives its context, cleared, in CSS pixels.
function sharpCanvas(attributes) {
  const canvas = html("canvas", { class: "vl-colour", role: "img", ...attributes });
  const ready = (width, height) => {
    const ratio = globalThis.devicePixelRatio || 1, context = canvas.getContext("2d");
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  };
  return { canvas, ready };
}

// The page's colours as they are now: light or dark.
function palette(root) {
  const style = getComputedStyle(root), value = (name) => style.getPropertyValue(`--vl-${name}`).trim();
  const ink = style.color.match(/\d+/g).map(Number), dark = ink[0] + ink[1] + ink[2] > 384;
  return {
    ink: value("ink"), paper: value("paper"), quiet: value("quiet"), line: value("line"), blue: value("blue"), orange: value("orange"), green: value("green"), purple: value("purple"),
    dark, hue: (h, alpha = 1) => `hsl(${Math.round(360 * h)} ${dark ? "70% 68%" : "75% 40%"} / ${alpha})`, rgb: ink,
  };
}

// Small grey pictures, `side` x `side` values in [0, 1] each, in the colour of the page's ink: picture k, of `count`, is
// drawn at [x, y] = at(k), `size` pixels wide. They are put into the browser's hands all at once, one above the other.
function stamps(context, values, from, count, { side, size, at }, colours, alpha = 1) {
  const sheets = stamps.kept ??= new Map(), key = `${side}x${count}`, pixels = side * side * count;
  if (!sheets.has(key)) {
    const made = Object.assign(document.createElement("canvas"), { width: side, height: side * count }), inside = made.getContext("2d");
    sheets.set(key, { canvas: made, inside, image: inside.createImageData(side, side * count) });
  }
  const { canvas, inside, image } = sheets.get(key), [r, g, b] = colours.rgb;
  for (let i = 0, to = 0; i < pixels; i++) {
    image.data[to++] = r; image.data[to++] = g; image.data[to++] = b;
    image.data[to++] = 255 * alpha * clamp(values[from + i], 0, 1); // rounded as it is stored
  }
  inside.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  for (let k = 0; k < count; k++) context.drawImage(canvas, 0, k * side, side, side, ...at(k), size, size);
}
