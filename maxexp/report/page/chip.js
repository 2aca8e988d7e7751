// Cycles of each layer and where it is in the chip's memories, once for runs of the same network.
function chip() {
  const without = selectedRuns().filter((run) => run.network === null).map((run) => run.name);
  const unrecorded = without.length ? `Cycles per layer and memory maps are not recorded for ${without.join(", ")}.` : "";
  const groups = new Map();
  for (const run of selectedRuns()) if (run.network !== null) groups.set(run.network, [...(groups.get(run.network) ?? []), run]);
  if (!groups.size) return unrecorded || "No run is ticked.";
  const cards = [...groups].map(([index, runs]) => chipCard(data.networks[index], runs));
  const repeated = [...groups.keys()].some((index) => data.networks[index].layers.length > data.layer_colors.length);
  const text = "A layer has the same colour in the table, for its kernels in weight memory and for its output in data memory. "
    + "Data memory is shown over time: while a layer is computed, its input and its output are both there. "
    + (repeated ? `Colours repeat after ${data.layer_colors.length} layers. ` : "") + unrecorded;
  return [element("p", { class: "quiet" }, text), element("div", { class: "grid" }, ...cards)];
}

function chipCard(network, runs) {
  return element("div", { class: "card" },
    element("h3", {}, [...new Set(runs.map((run) => run.model))].join(", "), ` on ${network.device}`),
    legend(runs),
    element("div", { class: "scroll" }, layerTable(network)),
    element("p", { class: "quiet" }, totalCycles(network, runs)),
    ...maps(network));
}

function layerTable(network) {
  const most = Math.max(...network.layers.map((layer) => layer.cycles ?? 0));
  const rows = network.layers.map((layer, index) => element("tr", { style: layerColor(index) },
    element("th", { scope: "row" }, layer.name),
    element("td", { class: "number" }, layer.cycles === null ? MISSING : format(layer.cycles)),
    element("td", { class: "bar" }, most ? element("i", { style: `width: ${100 * layer.cycles / most}%` }) : ""),
    element("td", {}, layer.out_shape.join("×")),
    element("td", { class: "number" }, layer.weights ? format(layer.weights * layer.weight_bits / 8) : MISSING),
    element("td", { class: "number" }, layer.weights ? layer.weight_bits : MISSING),
  ));
  const head = element("tr", {}, ...["layer", "cycles", "", "output", "weights [bytes]", "bits"].map((text) =>
    element("th", { class: ["cycles", "weights [bytes]", "bits"].includes(text) ? "number" : null }, text)));
  return element("table", { class: "layers" }, element("thead", {}, head), element("tbody", {}, ...rows));
}

function totalCycles(network, runs) {
  const total = network.layers.reduce((sum, layer) => sum + (layer.cycles ?? 0), 0);
  if (!total) return `No model of the cycles of ${network.device}.`;
  const start = runs[0].values[data.cycles] - total;
  return `${format(total)} cycles in all layers and ${format(start)} to start, ${[...new Set(runs.map((run) => source(run, data.cycles)))].join(", ")}.`;
}

function maps(network) {
  const kernels = [
    element("h4", {}, "Weight memory"),
    chart(250, "Weight memory", (picture, width, height) => kernelMap(picture, width, height, network)),
    element("h4", {}, "Data memory"),
  ];
  const used = `Each of the ${format(network.instances)} instances up to byte `
    + `${format(highestByte(network))}, of ${format(network.instance_bytes)}.`;
  return [...kernels,
    element("p", { class: "quiet" }, used),
    chart(350, "Data memory", (picture, width, height) => tensorMap(picture, width, height, network)),
  ];
}
