// Confusion matrices: shares of each true class (rows) by predicted class (columns).
const LABELLED_CLASSES = 20;
const LISTED = 6;
const DARKEST = 0.72; // of the shade, so that text can be read on it

function confusion() {
  const runs = selectedRuns().filter((run) => run.confusion);
  const left = selectedRuns().length - runs.length;
  const text = "Share of each true class (row) by predicted class (column), in percent."
    + (left ? ` ${left} ticked run${left > 1 ? "s have" : " has"} no recorded predictions, or there was no room for them.` : "");
  if (!runs.length) return "None of the ticked runs recorded its predictions, or there was no room for them on this page.";
  return [element("p", { class: "quiet" }, text), element("div", { class: "grid" }, ...runs.map(confusionCard))];
}

function confusionCard(run) {
  const { classes, cells, kind } = run.confusion;
  const totals = Array(classes.length).fill(0);
  for (const [position, images] of cells) totals[Math.floor(position / classes.length)] += images;
  const shares = new Map(cells.map(([position, images]) => [position, images / totals[Math.floor(position / classes.length)]]));
  const worst = cells.filter(([position]) => position % (classes.length + 1)).sort((a, b) => b[1] - a[1]).slice(0, LISTED);
  const pairs = worst.map(([position, images]) =>
    `${classes[Math.floor(position / classes.length)]} as ${classes[position % classes.length]} (${images})`);
  return element("div", { class: "card", style: color(run) },
    element("h3", {}, element("span", { class: "swatch" }), " ", data.runs.length > 1 ? `${run.name}, ` : "", element("span", { class: "quiet" }, kind)),
    classes.length <= LABELLED_CLASSES
      ? element("div", { class: "scroll" }, labelledMatrix(classes, shares)) : heatMap(classes, new Map(cells), shares),
    perClass(classes, totals, shares),
    element("p", { class: "quiet" }, pairs.length ? `Most often: ${pairs.join(", ")} images.` : "No image is wrong."));
}

// Accuracy of each class, the worst first: with few images a class may be all wrong behind a good mean.
function perClass(classes, totals, shares) {
  const rows = classes.map((name, row) => ({ name, images: totals[row], right: shares.get(row * (classes.length + 1)) ?? 0 }))
    .filter(({ images }) => images).sort((a, b) => a.right - b.right);
  const head = element("tr", {}, element("th", {}, "class"), element("th", { class: "number" }, "accuracy [%]"),
    element("th", {}), element("th", { class: "number" }, "test images"));
  return element("details", { open: rows.length <= LABELLED_CLASSES ? "" : null }, element("summary", {}, "Accuracy per class"),
    element("div", { class: "scroll" }, element("table", { class: "layers" }, element("thead", {}, head),
      element("tbody", {}, ...rows.map(({ name, images, right }) => element("tr", {}, element("th", { scope: "row" }, name),
        element("td", { class: "number" }, format(100 * right, 1)),
        element("td", { class: "bar" }, element("i", { style: `width: ${100 * right}%` })),
        element("td", { class: "number" }, format(images))))))));
}

function labelledMatrix(classes, shares) {
  const head = element("tr", {}, element("th"), ...classes.map((name) => element("th", {}, element("span", {}, name))));
  const rows = classes.map((name, row) => element("tr", {}, element("th", { scope: "row" }, name), ...classes.map((other, column) => {
    const share = shares.get(row * classes.length + column) ?? 0;
    const text = share >= 0.005 ? format(100 * share) : "";
    return element("td", { class: "shade", style: `--share: ${(DARKEST * share).toFixed(3)}`, title: `${name} as ${other}: ${format(100 * share, 1)} %` }, text);
  })));
  return element("table", { class: "confusion" }, element("thead", {}, head), element("tbody", {}, ...rows));
}

function heatMap(classes, counts, shares) {
  const count = classes.length;
  const canvas = element("canvas", { class: "heat", width: count, height: count, role: "img", "aria-label": `Confusion of ${count} classes`,
    onpointerleave: hideTip,
    onpointermove: (event) => {
      const [row, column] = [event.offsetY / canvas.clientHeight, event.offsetX / canvas.clientWidth]
        .map((part) => Math.min(count - 1, Math.max(0, Math.floor(part * count))));
      const position = row * count + column;
      showTip(event, `${classes[row]} as ${classes[column]}: ${format(counts.get(position) ?? 0)} images, ${format(100 * (shares.get(position) ?? 0), 1)} %`);
    } });
  const context = canvas.getContext("2d");
  const heat = getComputedStyle(document.documentElement).getPropertyValue("--heat");
  for (const [position, share] of shares) {
    // The root, for the many small shares of many classes are what one looks for.
    context.fillStyle = `rgba(${heat}, ${Math.sqrt(share)})`;
    context.fillRect(position % count, Math.floor(position / count), 1, 1);
  }
  return element("div", { class: "heat-frame" },
    element("span", { class: "axis-title upwards" }, "true class"), canvas, element("span", { class: "axis-title" }, "predicted class"));
}
