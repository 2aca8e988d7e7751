// Cycles of each layer and where its kernels are, once for runs of the same network.
function chip() {
  const groups = new Map();
  for (const run of selectedRuns()) if (run.network !== null) groups.set(run.network, [...(groups.get(run.network) ?? []), run]);
  if (!groups.size) return "None of the ticked runs has costs on the chip.";
  const cards = [...groups].map(([index, runs]) => chipCard(data.networks[index], runs));
  const text = "A layer has the same colour in table and map. The map shows weight memory: one row for each processor, "
    + "across it the columns of 72 bits.";
  return [element("p", { class: "quiet" }, text), element("div", { class: "grid" }, ...cards)];
}

function chipCard(network, runs) {
  const cycles = network.layers.map((layer) => layer.cycles ?? 0);
  const total = cycles.reduce((sum, value) => sum + value, 0);
  const rows = network.layers.map((layer, index) => element("tr", { style: layerColor(index) },
    element("th", { scope: "row" }, layer.name),
    element("td", {}, layer.out_shape.join("×")),
    element("td", { class: "number" }, layer.weights ? `${format(layer.weights * layer.weight_bits / 8)}` : MISSING, layer.weights ? element("small", {}, `${layer.weight_bits} bits`) : null),
    element("td", { class: "number" }, layer.cycles === null ? MISSING : format(layer.cycles)),
    element("td", { class: "bar", title: total ? `${format(100 * cycles[index] / total, 1)} % of the cycles` : null },
      element("i", { style: `width: ${total ? 100 * cycles[index] / Math.max(...cycles) : 0}%` })),
  ));
  const head = element("tr", {}, ...["layer", "output", "weights [bytes]", "cycles", ""].map((text, index) =>
    element("th", { class: index === 2 || index === 3 ? "number" : null }, text)));
  return element("div", { class: "card" },
    element("h3", {}, [...new Set(runs.map((run) => run.model))].join(", "), ` on ${network.device}`),
    legend(runs),
    element("div", { class: "scroll" }, element("table", { class: "layers" }, element("thead", {}, head), element("tbody", {}, ...rows))),
    element("p", { class: "quiet" }, total ? `${format(total)} cycles in all layers, ${runs[0].source || "estimated"}.` : `No model of the cycles of ${network.device}.`),
    network.processors ? chart(230, "Weight memory", (picture, width, height) => memoryMap(picture, width, height, network)) : "");
}

function layerColor(index) {
  return `--mine: var(--c${index % COLORS})`;
}

function memoryMap(picture, width, height, network) {
  const left = 46, bottom = 34, top = 6, right = 6;
  const x = (column) => left + (width - left - right) * column / network.kernel_columns;
  const y = (processor) => top + (height - top - bottom) * processor / network.processors;
  picture.append(shape("rect", { class: "frame", x: left, y: top, width: width - left - right, height: height - top - bottom }));
  network.layers.forEach((layer, index) => {
    if (!layer.kernel_columns || layer.kernel_offset === null || !layer.processors) return;
    const text = `${layer.name}: columns ${layer.kernel_offset} to ${layer.kernel_offset + layer.kernel_columns - 1}, `
      + `processors ${layer.first_processor} to ${layer.first_processor + layer.processors - 1}`;
    const box = { x: x(layer.kernel_offset), y: y(layer.first_processor) };
    box.width = Math.max(1, x(layer.kernel_offset + layer.kernel_columns) - box.x);
    box.height = y(layer.first_processor + layer.processors) - box.y;
    picture.append(shape("rect", { class: "place", style: layerColor(index), ...box, onpointermove: (event) => showTip(event, text), onpointerleave: hideTip }));
    if (box.width > 7 * layer.name.length + 6 && box.height > 16)
      picture.append(shape("text", { class: "on-place", x: box.x + box.width / 2, y: box.y + box.height / 2 + 4, "text-anchor": "middle", "pointer-events": "none" }, layer.name));
  });
  for (let processor = 0; processor <= network.processors; processor += network.processors / 4)
    picture.append(shape("text", { x: left - 6, y: Math.min(y(processor) + 4, height - bottom), "text-anchor": "end" }, processor));
  for (const column of ticks(0, network.kernel_columns, width / 90))
    picture.append(shape("text", { x: x(column), y: height - bottom + 15, "text-anchor": "middle" }, column));
  picture.append(shape("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, `column, of ${network.kernel_columns}`));
  picture.append(shape("text", { transform: `translate(10 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, "processor"));
}
