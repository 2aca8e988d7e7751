// Data, formats, elements and the selection that the sections share.
const data = JSON.parse(document.getElementById("data").textContent);
const COLORS = 8;
const MISSING = "–";
const metrics = new Map(data.metrics.map((metric) => [metric.key, metric]));
const runsById = new Map(data.runs.map((run) => [run.id, run]));

function format(number, digits = 0) {
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function figure(run, key) {
  if (!(key in run.values)) return MISSING;
  const { words, scale, digits } = metrics.get(key);
  return words ? words[run.values[key]] : format(run.values[key] * scale, digits);
}

function withUnit(run, key) {
  const text = figure(run, key);
  const unit = metrics.get(key)?.unit;
  return text === MISSING || !unit ? text : `${text} ${unit}`;
}

function source(run, key) {
  return key in run.values ? run.sources[key] ?? "computed" : "";
}

function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

// ---- selection: run id -> colour number; colours stay with their runs while others come and go
const selection = new Map();
const listeners = [];

function selectedRuns() {
  return data.runs.filter((run) => selection.has(run.id));
}

function color(run) {
  return selection.has(run.id) ? `--mine: var(--c${selection.get(run.id)})` : "";
}

function toggle(run) {
  if (selection.has(run.id)) selection.delete(run.id);
  else if (selection.size < COLORS) select(run);
  for (const redraw of listeners) redraw();
}

function select(run) {
  const taken = new Set(selection.values());
  selection.set(run.id, [...Array(COLORS).keys()].find((number) => !taken.has(number)));
}

function legend(runs, ...more) {
  const entries = (data.runs.length > 1 ? runs : []).map((run) => element("li", { style: color(run) }, element("span", { class: "swatch" }), run.name));
  return element("ul", { class: "legend" }, ...entries, ...more.map((text) => element("li", { class: "quiet" }, text)));
}

// A section that is drawn anew whenever the selection changes; draw returns nodes, or a sentence why there are none.
function section(id, draw) {
  const content = document.querySelector(`#${id} .content`);
  const redraw = () => {
    const drawn = draw();
    const nodes = typeof drawn === "string" ? [element("p", { class: "quiet" }, drawn)] : drawn;
    content.replaceChildren(...nodes);
  };
  listeners.push(redraw);
  redraw();
}

// A name whose middle gives way: runs tend to differ in its end.
function shortened(name, length) {
  const end = Math.ceil(length / 2);
  return name.length > length ? `${name.slice(0, length - end - 1)}…${name.slice(-end)}` : name;
}

// ---- tooltips
const tip = document.getElementById("tip");

function showTip(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const box = event.target.getBoundingClientRect();
  const x = event.clientX ?? box.right;
  const y = event.clientY ?? box.top;
  tip.style.left = `${Math.min(x + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.max(8, Math.min(y + 14, innerHeight - tip.offsetHeight - 8))}px`;
}

function hideTip() {
  tip.hidden = true;
}

// ---- charts: drawn for the width that they have, so that text keeps its size on a phone
const resizing = new ResizeObserver((entries) => {
  for (const entry of entries) entry.target.drawChart(Math.floor(entry.contentRect.width));
});

function chart(height, label, draw) {
  const box = element("div");
  box.drawChart = (width) => {
    if (width < 60) return;
    const picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
    draw(picture, width, height);
    box.replaceChildren(picture);
  };
  resizing.observe(box);
  return box;
}

// Round numbers from low to high.
function ticks(low, high, count, smallest = 0) {
  const rough = Math.max(smallest, (high - low) / Math.max(1, count));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const found = [];
  for (let number = Math.ceil(low / step); number * step <= high + step * 1e-9; number++) found.push(number * step);
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of [1, 2, 5]) if (factor * 10 ** power >= low && factor * 10 ** power <= high) found.push(factor * 10 ** power);
  return found;
}

function tickText(value) {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

// Axes with grid; returns the functions from values to positions.
function axes(picture, width, height, x, y) {
  const left = 58, right = 14, top = 14, bottom = 46;
  const place = (value, range, log) => {
    const [low, high] = log ? range.map(Math.log) : range;
    return ((log ? Math.log(value) : value) - low) / (high - low || 1);
  };
  const atX = (value) => left + place(value, x.range, x.log) * (width - left - right);
  const atY = (value) => height - bottom - place(value, y.range, y.log) * (height - top - bottom);
  for (const value of y.log ? logTicks(...y.range) : ticks(...y.range, 5)) {
    picture.append(shape("line", { class: "axis", x1: left, x2: width - right, y1: atY(value), y2: atY(value) }));
    picture.append(shape("text", { x: left - 8, y: atY(value) + 4, "text-anchor": "end" }, tickText(value)));
  }
  for (const value of x.log ? logTicks(...x.range) : ticks(...x.range, width / 110, x.smallest)) {
    picture.append(shape("line", { class: "axis", x1: atX(value), x2: atX(value), y1: top, y2: height - bottom }));
    picture.append(shape("text", { x: atX(value), y: height - bottom + 18, "text-anchor": "middle" }, tickText(value)));
  }
  picture.append(shape("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, x.label));
  const middle = (height - bottom + top) / 2;
  picture.append(shape("text", { transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle" }, y.label));
  return { atX, atY, left, right, top, bottom };
}

function padded(values, share = 0.08) {
  const low = Math.min(...values), high = Math.max(...values);
  const margin = (high - low || Math.abs(high) || 1) * share;
  return [low - margin, high + margin];
}
