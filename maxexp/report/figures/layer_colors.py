"""Colours of layers, the same in all pictures of a network."""

LAYER_COLORS = (
    *("#007eba", "#cc4e00", "#4e8418", "#a854ae", "#a88478", "#9678f0", "#9c6c00", "#78728a"),
    *("#909006", "#a27eb4", "#4e8af0", "#ae6078", "#3c9c6c", "#008484", "#6c6cc6", "#d266a8"),
    *("#6690b4", "#727e5a", "#d86c60", "#c67818", "#d800fc", "#fc129c", "#a842fc", "#006cfc"),
    *("#d218b4", "#725afc", "#f60000", "#d23678", "#00a200", "#cc5ade", "#fc00d8", "#fc426c"),
)
"""As many as the MAX78000 has layers: muted ones first, then, for deep networks, bright ones; each as unlike those
before it as may be.

They stand out from a light and from a dark ground, and black can be read on them: found by search among the colours
whose luminance allows both.
"""
INPUT_COLOR = "#8a8f98"
"""Of the network's input, which no layer writes."""


def layer_color(index: int) -> str:
    """Returns the colour of a layer, from 0, for its kernels and for what it writes; those of longer networks
    repeat."""
    return LAYER_COLORS[index % len(LAYER_COLORS)]
