"""The colour of a run in the MLflow UI: unlike those before it, where the UI's own choice may give two runs one."""

COLOR_TAG = "mlflow.runColor"

# Told apart by colour-blind readers too (Paul Tol, "bright" and "muted"), legible on white and on black.
COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#cc6677", "#44aa99")


def next_color(last: str | None) -> str:
    """The colour that follows ``last``, both ``#rrggbb``; the first one after none or one chosen by hand."""
    return COLORS[(COLORS.index(last) + 1) % len(COLORS)] if last in COLORS else COLORS[0]
