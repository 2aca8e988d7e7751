"""Colours of layers, measured."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from maxexp.report.figures.layer_colors import INPUT_COLOR, LAYER_COLORS

TO_CONES = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
TO_OKLAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
DISTINCT = 0.08
"""Distance in Oklab, where 0.02 is just seen when two colours lie side by side."""


def linear(color: str) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 defines it."""
    dark, light = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def oklab(color: str) -> np.ndarray:
    return TO_OKLAB @ np.cbrt(TO_CONES @ linear(color))


def test_every_layer_of_the_chip_has_a_colour_of_its_own(max78000):
    places = [oklab(color) for color in LAYER_COLORS]
    assert len(LAYER_COLORS) >= max78000.limits.layers
    assert min(np.linalg.norm(one - other) for one, other in combinations(places, 2)) > DISTINCT


def test_networks_of_usual_depth_have_muted_colours():
    """Pure red, the brightest that a screen has beside magenta, has a chroma of 0.26 in Oklab."""
    assert max(np.hypot(*oklab(color)[1:]) for color in LAYER_COLORS[:20]) < 0.18


@pytest.mark.parametrize("ground", ["#f1f2f4", "#24282d"])
def test_they_stand_out_in_both_themes(ground):
    assert min(contrast(color, ground) for color in LAYER_COLORS) >= 3, "WCAG 2 asks for 3 of graphics"


def test_names_can_be_read_on_them():
    assert min(contrast(color, "black") for color in (*LAYER_COLORS, INPUT_COLOR)) >= 4.5, "WCAG 2 asks for 4.5"
