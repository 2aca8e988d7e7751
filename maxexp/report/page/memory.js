// Where a network is on the chip: kernels in weight memory, tensors in data memory.
const MAP = { left: 46, right: 8, top: 8 };

// Of the layer that has a kernel or writes a tensor; the input is written by none and has index -1.
function layerColor(index) {
  return `--mine: ${index < 0 ? data.input_color : data.layer_colors[index % data.layer_colors.length]}`;
}

function mapFrame(picture, width, height, bottom) {
  const box = { x: MAP.left, y: MAP.top, width: width - MAP.left - MAP.right, height: height - MAP.top - bottom };
  picture.append(shape("rect", { class: "frame", ...box }));
  return box;
}

// What is too thin for an edge is drawn without one, and thick enough to be seen.
function place(picture, style, box, text) {
  const thin = Math.min(box.width, box.height) < 4;
  box.height = Math.max(1.5, box.height);
  picture.append(shape("rect", { class: thin ? "place thin" : "place", style, ...box, onpointermove: (event) => showTip(event, text), onpointerleave: hideTip }));
}

function sideLabels(picture, box, label, count, step) {
  for (let number = 0; number <= count; number += step)
    picture.append(shape("text", { x: box.x - 6, y: box.y + box.height * number / count + 4, "text-anchor": "end" }, number));
  picture.append(shape("text", { transform: `translate(11 ${box.y + box.height / 2}) rotate(-90)`, "text-anchor": "middle" }, label));
}

function kernelMap(picture, width, height, network) {
  const frame = mapFrame(picture, width, height, 40);
  const x = (column) => frame.x + frame.width * column / network.kernel_columns;
  const y = (processor) => frame.y + frame.height * processor / network.processors;
  network.layers.forEach((layer, index) => {
    if (!layer.kernel_columns || layer.kernel_offset === null || !layer.processors) return;
    const text = `${layer.name}: columns ${layer.kernel_offset} to ${layer.kernel_offset + layer.kernel_columns - 1}, `
      + `processors ${layer.first_processor} to ${layer.first_processor + layer.processors - 1}`;
    const box = { x: x(layer.kernel_offset), y: y(layer.first_processor) };
    box.width = Math.max(1, x(layer.kernel_offset + layer.kernel_columns) - box.x);
    box.height = y(layer.first_processor + layer.processors) - box.y;
    place(picture, layerColor(index), box, text);
    if (box.width > 7 * layer.name.length + 6 && box.height > 16)
      picture.append(shape("text", { class: "on-place", x: box.x + box.width / 2, y: box.y + box.height / 2 + 4, "text-anchor": "middle", "pointer-events": "none" }, layer.name));
  });
  sideLabels(picture, frame, "processor", network.processors, network.processors / 4);
  for (const column of ticks(0, network.kernel_columns, width / 90))
    picture.append(shape("text", { x: x(column), y: frame.y + frame.height + 16, "text-anchor": "middle" }, format(column)));
  picture.append(shape("text", { x: frame.x + frame.width / 2, y: height - 4, "text-anchor": "middle" }, `column of 9 bytes, of ${format(network.kernel_columns)}`));
}

// One strip for each instance, its first byte on top; across it the layers in the order in which they are computed.
function tensorMap(picture, width, height, network) {
  const names = ["input", ...network.layers.map((layer) => layer.name)];
  const frame = mapFrame(picture, width, height, 20 + 6.5 * Math.max(...names.map((name) => name.length)));
  const instances = network.instances;
  const x = (layer) => frame.x + frame.width * (layer + 1) / names.length;
  const y = (instance, byte) => frame.y + frame.height * (instance + byte / highestByte(network)) / instances;
  for (let instance = 1; instance < instances; instance++)
    picture.append(shape("line", { class: "axis", x1: frame.x, x2: frame.x + frame.width, y1: y(instance, 0), y2: y(instance, 0) }));
  for (const tensor of network.tensors) {
    const last = tensor.first_instance + tensor.instances - 1;
    const text = `${tensor.names.join(" and ")}: bytes ${format(tensor.offset)} to ${format(tensor.offset + tensor.bytes - 1)} `
      + `of ${tensor.instances === 1 ? "instance" : "instances"} ${[...new Set([tensor.first_instance, last])].join(" to ")}, `
      + `from ${names[tensor.first_layer + 1]} to ${names[tensor.last_layer + 1]}`;
    for (let instance = tensor.first_instance; instance <= last; instance++) {
      const box = { x: x(tensor.first_layer), y: y(instance, tensor.offset) };
      box.width = x(tensor.last_layer + 1) - box.x;
      box.height = y(instance, tensor.offset + tensor.bytes) - box.y;
      place(picture, layerColor(tensor.first_layer), box, text);
    }
  }
  sideLabels(picture, frame, "instance", instances, instances / 4);
  names.forEach((name, index) => {
    const at = `translate(${x(index - 0.5) + 4} ${frame.y + frame.height + 6}) rotate(-90)`;
    picture.append(shape("text", { transform: at, "text-anchor": "end" }, name));
  });
}

function highestByte(network) {
  return Math.max(...network.tensors.map((tensor) => tensor.offset + tensor.bytes));
}
