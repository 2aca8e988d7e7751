// Accuracy over latency, the area of a point its weight memory, one data set at a time.
const LARGEST_RADIUS = 24;
let shownData = null;

function tradeoff() {
  const { accuracy, latency, memory } = data.axes;
  const complete = data.runs.filter((run) => [accuracy, latency, memory].every((key) => key in run.values));
  if (!complete.length) return `No run has all three: latency; weight memory; ${data.accuracy}.`;
  const datasets = [...new Set(complete.map((run) => run.dataset))];
  if (!datasets.includes(shownData)) shownData = datasets[0];
  const runs = complete.filter((run) => run.dataset === shownData);
  const missing = data.runs.filter((run) => run.dataset === shownData).length - runs.length;
  const tabs = datasets.map((name) => element("button", {
    type: "button", "aria-pressed": String(name === shownData), onclick: () => { shownData = name; listeners.forEach((redraw) => redraw()); },
  }, name));
  const text = "Area: weight memory. Filled: on the Pareto front, no other run is at least as good in accuracy, latency and "
    + `memory and better in one. Dashed: the best accuracy within the time. Accuracy: ${data.accuracy}.`
    + (missing ? ` Not shown: ${missing} run${missing > 1 ? "s" : ""} without one of the three.` : "");
  return [
    element("p", { class: "quiet" }, text),
    datasets.length > 1 ? element("div", { class: "tabs" }, ...tabs) : "",
    legend(runs.filter((run) => selection.has(run.id)), ...(runs.some((run) => !selection.has(run.id)) ? ["gray: not ticked"] : [])),
    chart(430, `Accuracy over latency on ${shownData}`, (picture, width, height) => scatter(picture, width, height, runs)),
  ];
}

function scatter(picture, width, height, runs) {
  const { accuracy, latency, memory } = data.axes;
  const time = (run) => run.values[latency] * metrics.get(latency).scale;
  const share = (run) => run.values[accuracy] * metrics.get(accuracy).scale;
  const times = runs.map(time);
  const log = Math.max(...times) > 8 * Math.min(...times);
  const wide = Math.log(Math.max(...times) / Math.min(...times)) || 1;
  const range = log ? [Math.min(...times) * Math.exp(-0.1 * wide), Math.max(...times) * Math.exp(0.14 * wide)] : padded(times, 0.14);
  const sources = [...new Set(runs.map((run) => source(run, latency)))].join(", ");
  const x = { range: [log ? range[0] : Math.max(0, range[0]), range[1]], log, label: `latency [ms], ${sources}` };
  const accuracies = padded(runs.map(share), 0.14);
  const y = { range: [Math.max(0, accuracies[0]), accuracies[1]], label: `${data.accuracy} [%]` };
  const frame = axes(picture, width, height, x, y);
  picture.append(shape("path", { class: "front", d: staircase(runs, time, share, frame, width) }));
  const largest = Math.max(...runs.map((run) => run.values[memory]));
  const radius = (run) => Math.max(3, LARGEST_RADIUS * Math.sqrt(run.values[memory] / largest));
  const back = [...runs].sort((a, b) => selection.has(a.id) - selection.has(b.id) || radius(b) - radius(a));
  for (const run of back) picture.append(dot(run, frame.atX(time(run)), frame.atY(share(run)), radius(run)));
  const named = runs.filter((run) => run.front || selection.has(run.id));
  const taken = runs.map((run) => ({ x: frame.atX(time(run)), y: frame.atY(share(run)), radius: radius(run) }));
  nameDots(picture, named.map((run) => ({ run, x: frame.atX(time(run)), y: frame.atY(share(run)), radius: radius(run) })), taken, width);
}

function dot(run, x, y, radius) {
  const { accuracy, latency, memory } = data.axes;
  const text = `${run.name}\n${withUnit(run, accuracy)}, ${withUnit(run, latency)} (${source(run, latency)}), ${withUnit(run, memory)}`
    + (run.front ? "\non the Pareto front" : "");
  return shape("circle", {
    class: run.front ? "dot on-front" : "dot", cx: x, cy: y, r: radius, style: color(run), tabindex: 0, role: "button",
    "aria-label": text, onpointermove: (event) => showTip(event, text), onpointerleave: hideTip,
    onfocus: (event) => showTip(event, text), onblur: hideTip, onclick: () => toggle(run),
    onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(run); } },
  });
}

function staircase(runs, time, share, frame, width) {
  let path = "", best = -Infinity;
  for (const run of [...runs].sort((a, b) => time(a) - time(b) || share(b) - share(a))) {
    if (share(run) <= best) continue;
    path += path ? ` H${frame.atX(time(run))} V${frame.atY(share(run))}` : `M${frame.atX(time(run))} ${frame.atY(share(run))}`;
    best = share(run);
  }
  return `${path} H${width - frame.right}`;
}

// Names beside their dots, right or left, where they cover neither another name nor another dot.
function nameDots(picture, named, dots, width) {
  const boxes = [];
  const meets = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  for (const { run, x, y, radius } of named) {
    const text = shortened(run.name, width < 600 ? 30 : 44);
    const w = 6.6 * text.length;
    const places = [[x + radius + 5, y - 7], [x - radius - 5 - w, y - 7], [x - w / 2, y - radius - 18], [x - w / 2, y + radius + 4]];
    const free = places.map(([left, top]) => ({ x: left, y: top, w, h: 15 })).find((box) =>
      box.x >= 60 && box.x + w <= width - 2 && box.y > 2 && !boxes.some((other) => meets(box, other))
      && !dots.some((other) => (other.x !== x || other.y !== y) && meets(box, { x: other.x - other.radius, y: other.y - other.radius, w: 2 * other.radius, h: 2 * other.radius })));
    if (!free) continue;
    boxes.push(free);
    picture.append(shape("text", { class: "name halo", x: free.x, y: free.y + 12 }, text));
  }
}
