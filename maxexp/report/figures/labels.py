"""Names beside the bubbles of a chart, where they cover neither one another nor a bubble."""

from collections.abc import Sequence
from itertools import combinations
from math import cos, dist, pi, sin

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

DIRECTIONS = [0, pi, pi / 2, -pi / 2, pi / 4, 3 * pi / 4, -pi / 4, -3 * pi / 4]
"""Tried in this order: right, left, above, below, then between."""
DISTANCES = (4, 14, 28, 45, 65)
"""Points between bubble and name; beyond the first a line connects them."""

Pixels = tuple[float, float]


def label_bubbles(
    figure: Figure, axes: Axes, labels: Sequence[str], points: Sequence[tuple[float, float]], radii: Sequence[float]
) -> None:
    """Writes each label at the nearest free place; one for which there is none goes to the right of its bubble.

    Bubbles that lie on one another have their labels in one block, the topmost bubble's first.

    Args:
        points: centres in data coordinates; the limits of the axes must not change any more.
        radii: of the bubbles, in points.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = figure.dpi / 72
    centers: list[Pixels] = [tuple(axes.transData.transform(point).tolist()) for point in points]
    sizes = [radius * pixels for radius in radii]
    taken = [_around(center, radius) for center, radius in zip(centers, sizes, strict=True)]
    frame = axes.get_window_extent()
    for group in _piles(centers, sizes):
        group.sort(key=lambda i: -centers[i][1])
        center, radius = _enclosing([centers[i] for i in group], [sizes[i] for i in group])
        others = [taken[i] for i in range(len(points)) if i not in group]
        text = axes.annotate(
            "\n".join(labels[i] for i in group),
            tuple(axes.transData.inverted().transform(center).tolist()),
            (radius / pixels + DISTANCES[0], 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
        size = text.get_window_extent(canvas.get_renderer())
        places = [(distance, angle) for distance in DISTANCES for angle in DIRECTIONS]
        boxes = [_beside(center, radius + distance * pixels, angle, size) for distance, angle in places]
        lines = [_line(center, radius, box) for box in boxes]
        free = (
            i
            for i, (box, line) in enumerate(zip(boxes, lines, strict=True))
            if _inside(box, frame) and not box.count_overlaps(taken) and not _crosses(line, others)
        )
        chosen = next(free, 0)
        box = boxes[chosen]
        text.set_position(((box.x0 - center[0]) / pixels, ((box.y0 + box.y1) / 2 - center[1]) / pixels))
        taken.append(box)
        if chosen >= len(DIRECTIONS):
            ends = axes.transData.inverted().transform(lines[chosen])
            axes.plot(ends[:, 0], ends[:, 1], color="0.6", lw=0.7, zorder=2, scalex=False, scaley=False)


def _piles(centers: Sequence[Pixels], radii: Sequence[float]) -> list[list[int]]:
    """Bubbles of which one covers the centre of the next, together; those that stand alone, too."""
    pile = list(range(len(centers)))
    for one, other in combinations(range(len(centers)), 2):
        if dist(centers[one], centers[other]) < max(radii[one], radii[other]):
            old, new = pile[other], pile[one]
            pile = [new if each == old else each for each in pile]
    return [[i for i, each in enumerate(pile) if each == name] for name in dict.fromkeys(pile)]


def _enclosing(centers: Sequence[Pixels], radii: Sequence[float]) -> tuple[Pixels, float]:
    """A circle around circles."""
    middle = (sum(x for x, _ in centers) / len(centers), sum(y for _, y in centers) / len(centers))
    return middle, max(dist(middle, center) + radius for center, radius in zip(centers, radii, strict=True))


def _around(center: Pixels, radius: float) -> Bbox:
    x, y = center
    return Bbox.from_extents(x - radius, y - radius, x + radius, y + radius)


def _beside(center: Pixels, distance: float, angle: float, size: Bbox) -> Bbox:
    """The box of a text whose nearest edge or corner is at this distance from the centre."""
    x, y = center[0] + distance * cos(angle), center[1] + distance * sin(angle)
    left = x - size.width * (1 - round(cos(angle))) / 2
    bottom = y - size.height * (1 - round(sin(angle))) / 2
    return Bbox.from_bounds(left, bottom, size.width, size.height)


def _inside(box: Bbox, frame: Bbox) -> bool:
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def _line(center: Pixels, radius: float, box: Bbox) -> tuple[Pixels, Pixels]:
    """Returns the distance from the edge of the bubble to the nearest point of the box."""
    end = (min(max(center[0], box.x0), box.x1), min(max(center[1], box.y0), box.y1))
    length = max(dist(center, end), 1e-9)
    x, y = (c + radius * (e - c) / length for c, e in zip(center, end, strict=True))
    return (x, y), end


def _crosses(line: tuple[Pixels, Pixels], boxes: Sequence[Bbox]) -> bool:
    (x, y), (to_x, to_y) = line
    steps = [(x + share * (to_x - x), y + share * (to_y - y)) for share in (0.1 * i for i in range(11))]
    return any(box.contains(*step) for box in boxes for step in steps)
