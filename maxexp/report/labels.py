"""Names beside the bubbles of a chart, where they cover neither one another nor a bubble."""

from collections.abc import Sequence
from math import cos, pi, sin

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

DIRECTIONS = [0, pi, pi / 2, -pi / 2, pi / 4, 3 * pi / 4, -pi / 4, -3 * pi / 4]
"""Tried in this order: right, left, above, below, then between."""
DISTANCES = (4, 14, 28, 45, 65)
"""Points between bubble and name; beyond the first a line connects them."""


def label_bubbles(
    figure: Figure, axes: Axes, labels: Sequence[str], points: Sequence[tuple[float, float]], radii: Sequence[float]
) -> None:
    """Write each label at the nearest free place; one for which there is none goes to the right of its bubble.

    Args:
        points: centres in data coordinates; the limits of the axes must not change any more.
        radii: of the bubbles, in points.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = figure.dpi / 72
    centers = [tuple(axes.transData.transform(point).tolist()) for point in points]
    taken = [_around(center, radius * pixels) for center, radius in zip(centers, radii, strict=True)]
    frame = axes.get_window_extent()
    for label, point, center, radius in zip(labels, points, centers, radii, strict=True):
        text = axes.annotate(
            label, point, (radius + DISTANCES[0], 0), textcoords="offset points", va="center", fontsize=9
        )
        size = text.get_window_extent(canvas.get_renderer())
        places = [(distance, angle) for distance in DISTANCES for angle in DIRECTIONS]
        boxes = [_beside(center, (radius + distance) * pixels, angle, size) for distance, angle in places]
        free = (i for i, box in enumerate(boxes) if _inside(box, frame) and not box.count_overlaps(taken))
        chosen = next(free, 0)
        box = boxes[chosen]
        text.set_position(((box.x0 - center[0]) / pixels, ((box.y0 + box.y1) / 2 - center[1]) / pixels))
        taken.append(box)
        if chosen >= len(DIRECTIONS):
            _connect(axes, center, radius * pixels, box)


def _around(center: Sequence[float], radius: float) -> Bbox:
    x, y = center
    return Bbox.from_extents(x - radius, y - radius, x + radius, y + radius)


def _beside(center: Sequence[float], distance: float, angle: float, size: Bbox) -> Bbox:
    """The box of a text whose nearest edge or corner is at this distance from the centre."""
    x, y = center[0] + distance * cos(angle), center[1] + distance * sin(angle)
    left = x - size.width * (1 - round(cos(angle))) / 2
    bottom = y - size.height * (1 - round(sin(angle))) / 2
    return Bbox.from_bounds(left, bottom, size.width, size.height)


def _inside(box: Bbox, frame: Bbox) -> bool:
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def _connect(axes: Axes, center: Sequence[float], radius: float, box: Bbox) -> None:
    """A line from the edge of the bubble to the nearest point of the box."""
    x = min(max(center[0], box.x0), box.x1)
    y = min(max(center[1], box.y0), box.y1)
    length = max(((x - center[0]) ** 2 + (y - center[1]) ** 2) ** 0.5, 1e-9)
    start = [c + radius * (end - c) / length for c, end in zip(center, (x, y), strict=True)]
    ends = axes.transData.inverted().transform([start, (x, y)])
    axes.plot(ends[:, 0], ends[:, 1], color="0.6", lw=0.7, zorder=2, scalex=False, scaley=False)
