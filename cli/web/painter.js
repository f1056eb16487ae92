// A mask painted over an aligned face. `element`, `props`, `watch` are Gradio's: from the server comes
// props.value = {face, size, image, labels, classes}; back goes props.value = {face, mask}, a PNG in the classes' colours.
const find = (name) => element.querySelector(`[data-part=${name}]`);
const canvas = find("canvas"), pen = canvas.getContext("2d"), palette = find("palette");
const sizeSlider = find("size"), coverSlider = find("cover"), undoButton = find("undo"), redoButton = find("redo");
const AS_PREDICTED = -1, UNLABELLED = 255, STEPS = 60, SHOWN = 512;
const group = `class-${Math.random().toString(36).slice(2)}`; // radio buttons of one page are told apart by their group's name

let face = null, size = 0, classes = [], photo = null;
let predicted = null, labels = null, before = null, undone = [], redone = [];
let chosen = 0, brush = null, last = null, space = false;

const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const colourOf = (label) => (label === UNLABELLED ? [255, 255, 255] : classes[label].colour);

function layer(alpha) {
  const sheet = new OffscreenCanvas(size, size), inside = sheet.getContext("2d"), picture = inside.createImageData(size, size);
  labels.forEach((label, at) => picture.data.set([...colourOf(label), alpha], 4 * at));
  inside.putImageData(picture, 0, 0);
  return sheet;
}

function draw() {
  pen.clearRect(0, 0, SHOWN, SHOWN);
  if (!labels) return;
  pen.imageSmoothingEnabled = true;
  pen.drawImage(photo, 0, 0, SHOWN, SHOWN);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(layer(Math.round(2.55 * coverSlider.value)), 0, 0, SHOWN, SHOWN);
  if (brush) {
    const step = SHOWN / size, radius = Math.max(sizeSlider.value / 2, 0.5) * step;
    for (const [colour, width] of [["#000", 3], ["#fff", 1.5]]) {
      pen.beginPath();
      pen.arc((brush[0] + 0.5) * step, (brush[1] + 0.5) * step, radius, 0, 2 * Math.PI);
      [pen.strokeStyle, pen.lineWidth] = [colour, width];
      pen.stroke();
    }
  }
}

function dab(x, y) {
  const radius = sizeSlider.value / 2, reach = Math.ceil(radius);
  for (let row = Math.max(y - reach, 0); row <= Math.min(y + reach, size - 1); row++)
    for (let column = Math.max(x - reach, 0); column <= Math.min(x + reach, size - 1); column++)
      if (Math.hypot(row - y, column - x) < Math.max(radius, 0.5)) {
        const at = row * size + column;
        labels[at] = chosen === AS_PREDICTED ? predicted[at] : chosen;
      }
}

function line(from, to) {
  const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1);
  for (let step = 0; step <= steps; step++)
    dab(...from.map((value, axis) => Math.round(value + ((to[axis] - value) * step) / steps)));
}

const begin = () => { before = before ?? labels.slice(); };

function finish() {
  if (before && before.some((label, at) => label !== labels[at])) {
    undone.push(before);
    undone = undone.slice(-STEPS);
    redone = [];
    send();
  }
  before = null;
}

async function send() {
  undoButton.disabled = !undone.length;
  redoButton.disabled = !redone.length;
  const sheet = Object.assign(document.createElement("canvas"), { width: size, height: size });
  sheet.getContext("2d").drawImage(layer(255), 0, 0);
  props.value = { face, mask: sheet.toDataURL("image/png") };
}

function step(from, to) {
  if (!labels || !from.length) return;
  to.push(labels);
  labels = from.pop();
  draw();
  send();
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  const along = (value, start, length) => Math.floor(((value - start) / length) * size);
  const inside = (value) => Math.min(Math.max(value, 0), size - 1);
  return [inside(along(event.clientX, box.left, box.width)), inside(along(event.clientY, box.top, box.height))];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!labels || event.button) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  begin();
  last = brush = place(event);
  dab(...last);
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  if (!labels) return;
  brush = place(event);
  if (last) {
    line(last, brush);
    last = brush;
  }
  draw();
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, () => {
    if (last) finish();
    last = null;
  });
canvas.addEventListener("pointerleave", () => {
  if (!last && document.activeElement !== canvas) brush = null;
  draw();
});

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (!labels) return;
  const key = event.key;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") event.shiftKey ? step(redone, undone) : step(undone, redone);
  else if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "y") step(redone, undone);
  else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (MOVES[key]) {
    const from = brush ?? [size >> 1, size >> 1], far = event.shiftKey ? 5 : 1;
    brush = from.map((value, axis) => Math.min(Math.max(value + far * MOVES[key][axis], 0), size - 1));
    if (space) line(from, brush);
  } else if (key === " ") {
    if (!space) begin();
    space = true;
    brush = brush ?? [size >> 1, size >> 1];
    dab(...brush);
  } else if (key === "[" || key === "]") sizeSlider.value = Number(sizeSlider.value) + (key === "]" ? 1 : -1);
  else return;
  event.preventDefault();
  draw();
});
canvas.addEventListener("keyup", (event) => {
  if (event.key !== " " || !space) return;
  space = false;
  finish();
});
canvas.addEventListener("focus", () => {
  if (labels) brush = brush ?? [size >> 1, size >> 1];
  draw();
});
canvas.addEventListener("blur", () => {
  if (space) finish();
  space = false;
  brush = null;
  draw();
});

undoButton.addEventListener("click", () => step(undone, redone));
redoButton.addEventListener("click", () => step(redone, undone));
find("reset").addEventListener("click", () => {
  if (!labels) return;
  begin();
  labels = predicted.slice();
  draw();
  finish();
});
for (const slider of [sizeSlider, coverSlider]) slider.addEventListener("input", draw);

function choices() {
  palette.replaceChildren(
    ...[...classes, { name: "as predicted", label: AS_PREDICTED }].map(({ name, colour, label }) => {
      const choice = document.createElement("label"), radio = document.createElement("input"), swatch = document.createElement("span");
      Object.assign(radio, { type: "radio", name: group, value: label, checked: label === chosen });
      radio.addEventListener("change", () => { chosen = label; });
      if (colour) swatch.style.background = `rgb(${colour.join()})`;
      swatch.className = "swatch";
      choice.append(radio, swatch, name);
      return choice;
    }),
  );
}

async function show() {
  const given = props.value;
  if (!given || !given.labels) return; // nothing, or what was sent from here
  const picture = new Image();
  picture.src = given.image;
  await picture.decode();
  ({ face, size } = given);
  classes = given.classes.map((one, label) => ({ ...one, label }));
  [photo, predicted, labels] = [picture, bytes(given.labels), bytes(given.labels)];
  [undone, redone, before, last, brush] = [[], [], null, null, null];
  if (chosen >= classes.length) chosen = 0;
  sizeSlider.max = Math.round(size / 4);
  sizeSlider.value = Math.max(Math.round(size / 16), 1);
  element.querySelectorAll("button, input").forEach((one) => { one.disabled = false; });
  undoButton.disabled = redoButton.disabled = true;
  choices();
  draw();
  props.value = { face, mask: null };
}

watch("value", show);
show();
