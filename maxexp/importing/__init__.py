"""Networks of others, from torch and ONNX: a graph of plain steps becomes layers of the chip, with their weights."""
