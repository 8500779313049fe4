// Rows of 28 x 28 pictures that came with the page as base64 bytes.

const SIDE = 28;

// A labelled row; `put(base64)` shows other pictures in it.
function pictureRow(label) {
  const canvas = html("canvas", { class: "vl-pictures", role: "img", "aria-label": label, width: SIDE, height: SIDE });
  const put = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const count = bytes.length / (SIDE * SIDE), wide = count * SIDE;
    if (canvas.width !== wide) canvas.width = wide;
    const context = canvas.getContext("2d"), image = context.createImageData(wide, SIDE);
    bytes.forEach((value, i) => {
      const picture = Math.floor(i / (SIDE * SIDE)), row = Math.floor(i / SIDE) % SIDE, column = i % SIDE;
      image.data[4 * (row * wide + picture * SIDE + column) + 3] = value; // black ink on nothing
    });
    context.putImageData(image, 0, 0);
  };
  return { root: html("div", { class: "vl-picture-row" }, html("p", { class: "vl-quiet", "aria-hidden": "true" }, label), canvas), put };
}
