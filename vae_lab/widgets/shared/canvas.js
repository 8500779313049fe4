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
    hue: (h, alpha = 1) => `hsl(${Math.round(360 * h)} ${dark ? "70% 68%" : "75% 40%"} / ${alpha})`, rgb: ink,
  };
}

// One small grey picture, `side` x `side` values in [0, 1], in the colour of the page's ink.
function stamp(context, values, from, side, x, y, size, colours, alpha = 1) {
  const small = stamp.canvas ??= document.createElement("canvas");
  small.width = small.height = side;
  const inside = small.getContext("2d"), image = inside.createImageData(side, side), [r, g, b] = colours.rgb;
  for (let i = 0; i < side * side; i++) image.data.set([r, g, b, Math.round(255 * alpha * clamp(values[from + i], 0, 1))], 4 * i);
  inside.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, x, y, size, size);
}
