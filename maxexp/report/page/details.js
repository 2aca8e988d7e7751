// One run: figures with units and sources, how to repeat it, what it was made with, how it uses its numbers.
const TAG_NAMES = { "restored.run": "restored from run", "mlflow.source.git.commit": "commit", "git.dirty": "uncommitted changes", "maxexp.version": "maxexp", "version.torch": "torch" };

function shownRun() {
  return runsById.get(location.hash.replace("#run-", "")) ?? data.runs[0];
}

function details() {
  const run = shownRun();
  const figures = data.metrics.filter((metric) => metric.key in run.values).map((metric) => element("tr", {},
    element("th", {}, metric.name), element("td", { class: "number" }, withUnit(run, metric.key)), element("td", {}, source(run, metric.key))));
  const head = element("tr", {}, ...["figure", "value", "source"].map((text) => element("th", { class: text === "value" ? "number" : null }, text)));
  const facts = [["run", run.id], ["status", run.status], ["network", run.model], ["data", run.dataset],
    ["quantization", run.quantization + (run.bits ? `, ${run.bits} bits` : "")],
    ...Object.entries(run.tags).map(([key, value]) => [TAG_NAMES[key] ?? key, value]),
    ...Object.entries(run.data).map(([name, digest]) => [`${name}, SHA-256`, digest])];
  return [
    element("h3", { id: `run-${run.id}` }, run.link ? element("a", { href: run.link }, run.name) : run.name),
    run.command ? element("p", {}, element("code", {}, run.command)) : "",
    element("div", { class: "grid" },
      element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...figures))),
      element("div", { class: "card" }, factList(facts))),
    configuration(run),
  ];
}

function factList(facts) {
  return element("dl", { class: "facts" }, ...facts.flatMap(([key, value]) => [element("dt", {}, key), element("dd", {}, value)]));
}

function configuration(run) {
  const keys = { ...data.common, ...run.params };
  return element("details", {}, element("summary", {}, "Configuration"),
    factList(Object.keys(keys).sort().map((key) => [key, keys[key]])));
}

function ranges() {
  const run = shownRun();
  if (!run.ranges) return `${run.name} is not quantized, has not recorded its numbers, or there was no room for them.`;
  const { bins, reach, layers } = run.ranges;
  const share = (clipped) => (clipped > 0 && clipped < 1e-4 ? "< 0.01 %" : `${format(100 * clipped, clipped ? 2 : 0)} %`);
  const cards = layers.map((layer) => element("div", { class: "card" },
    element("h3", {}, `${layer.name}, ${layer.bits} bits`),
    chart(120, `Ranges of ${layer.name}`, (picture, width, height) => histogram(picture, width, height, layer, bins, reach)),
    element("div", { class: "quiet" }, `clipped: ${share(layer.weights.clipped)} of weights`
      + (layer.outputs ? `, ${share(layer.outputs.clipped)} of activations` : ""))));
  return [
    element("p", { class: "quiet" }, `${data.runs.length > 1 ? `${run.name}. ` : ""}Weights (upwards) and activations (downwards) before `
      + "rounding, in units of full scale; shaded: what the chip's numbers hold; red: what clips. Heights are roots of counts."),
    element("div", { class: "cards" }, ...cards),
  ];
}

function histogram(picture, width, height, layer, bins, reach) {
  const x = (value) => width * (value + reach) / (2 * reach);
  const middle = (height - 16) / 2;
  picture.append(shape("rect", { class: "held", x: x(-1), y: 0, width: x(1) - x(-1), height: height - 16 }));
  for (const [values, sign, fill] of [[layer.weights, -1, "var(--c0)"], [layer.outputs, 1, "var(--c2)"]]) {
    if (!values) continue;
    const highest = Math.sqrt(Math.max(...values.counts));
    values.counts.forEach((count, index) => {
      if (!count) return;
      const low = -reach + 2 * reach * index / bins;
      const outside = low < -1 - 1e-9 || low + 2 * reach / bins > 1 + 1e-9;
      const tall = Math.max(1, (middle - 2) * Math.sqrt(count) / highest);
      const box = { x: x(low), width: width / bins, y: sign < 0 ? middle - tall : middle, height: tall };
      picture.append(shape("rect", outside ? { class: "clipped", ...box } : { fill, ...box }));
    });
  }
  for (const value of [-1, 0, 1]) picture.append(shape("text", { x: x(value), y: height - 3, "text-anchor": "middle" }, value));
}
