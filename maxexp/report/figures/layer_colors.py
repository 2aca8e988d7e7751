"""Colours of layers, the same in all pictures of a network."""

LAYER_COLORS = (
    *("#007eba", "#f60000", "#d800fc", "#00a200", "#9c6c00", "#d266a8", "#725afc", "#a88478"),
    *("#fc129c", "#3c9c6c", "#78728a", "#4e8af0", "#909006", "#a842fc", "#d218b4", "#006cfc"),
    *("#d23678", "#9678f0", "#cc4e00", "#a854ae", "#ae6078", "#4e8418", "#008484", "#6c6cc6"),
    *("#cc5ade", "#a27eb4", "#fc00d8", "#6690b4", "#fc426c", "#727e5a", "#d86c60", "#c67818"),
)
"""As many as the MAX78000 has layers, the most unlike ones first.

They stand out from a light and from a dark ground, and black can be read on them: found by search among the colours
whose luminance allows both.
"""
INPUT_COLOR = "#8a8f98"
"""Of the network's input, which no layer writes."""


def layer_color(index: int) -> str:
    """Returns the colour of a layer, from 0, for its kernels and for what it writes; those of longer networks
    repeat."""
    return LAYER_COLORS[index % len(LAYER_COLORS)]
