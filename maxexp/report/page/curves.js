// Loss and scores over the epochs.
const PARTS = ["train", "val"];

function curves() {
  const runs = selectedRuns().filter((run) => Object.values(run.curves).some((points) => points[0].length));
  if (!runs.length) return "None of the ticked runs was trained, or their curves are not on this page.";
  const charts = data.panels.filter(({ quantity }) => runs.some((run) => PARTS.some((part) => `${part}/${quantity}` in run.curves)))
    .map((panel) => element("div", { class: "card" },
      chart(300, `${panel.heading} over epochs`, (picture, width, height) => curveChart(picture, width, height, runs, panel))));
  const marks = runs.some((run) => run.qat_epoch !== null) ? ["ring: quantization-aware from here"] : [];
  return [legend(runs, "solid: validation", "dashed: training", ...marks), element("div", { class: "grid" }, ...charts)];
}

function curveChart(picture, width, height, runs, { quantity, heading, scale, digits }) {
  const lines = runs.flatMap((run) => PARTS.map((part) => ({ run, part, points: run.curves[`${part}/${quantity}`] })))
    .filter((line) => line.points?.[0].length);
  const values = lines.flatMap((line) => line.points[1].filter((value) => value !== null).map((value) => value * scale));
  if (!values.length) return;
  const last = Math.max(...lines.flatMap((line) => line.points[0]));
  const range = padded(values, 0.05);
  const x = { range: [1, Math.max(2, last)], label: "epoch", smallest: 1 };
  const frame = axes(picture, width, height, x, { range: [Math.max(0, range[0]), range[1]], label: heading });
  for (const { run, part, points } of lines) {
    const known = points[0].map((epoch, index) => [epoch, points[1][index]]).filter(([, value]) => value !== null);
    const path = known.map(([epoch, value], index) => `${index ? "L" : "M"}${frame.atX(epoch).toFixed(1)} ${frame.atY(value * scale).toFixed(1)}`).join("");
    picture.append(shape("path", { class: `curve ${part}`, d: path, style: color(run) }));
    const begin = known.find(([epoch]) => run.qat_epoch !== null && epoch >= run.qat_epoch);
    if (part === "val" && begin) picture.append(shape("circle", { class: "begin", cx: frame.atX(begin[0]), cy: frame.atY(begin[1] * scale), r: 4, style: color(run) }));
    if (known.length === 1) picture.append(shape("circle", { class: "dot on-front", cx: frame.atX(known[0][0]), cy: frame.atY(known[0][1] * scale), r: 4, style: color(run) }));
  }
  const cursor = shape("line", { class: "cursor", y1: frame.top, y2: height - frame.bottom, visibility: "hidden" });
  picture.append(cursor);
  picture.addEventListener("pointermove", (event) => {
    const inside = (event.offsetX - frame.left) / (width - frame.left - frame.right);
    const epoch = Math.round(x.range[0] + Math.min(1, Math.max(0, inside)) * (x.range[1] - x.range[0]));
    const rows = lines.filter((line) => line.part === "val").map(({ run, points }) => {
      // Long curves are thinned out: the latest epoch that is kept, and none behind the curve's end.
      const index = points[0].findLastIndex((kept) => kept <= epoch);
      const value = epoch > points[0].at(-1) ? null : points[1][index] ?? null;
      const when = points[0][index] === epoch ? "" : ` (epoch ${points[0][index]})`;
      return value === null ? null : `${run.name}: ${format(value * scale, digits)}${when}`;
    }).filter((row) => row !== null);
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", frame.atX(epoch));
    cursor.setAttribute("x2", frame.atX(epoch));
    showTip(event, [`epoch ${epoch}, validation`, ...rows].join("\n"));
  });
  picture.addEventListener("pointerleave", () => { cursor.setAttribute("visibility", "hidden"); hideTip(); });
}
