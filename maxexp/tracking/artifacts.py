"""Where a run keeps what its reports are made of, and the reports themselves."""

PREDICTIONS = "evaluation/predictions.npz"
RANGES = "evaluation/ranges.json"
COST = "synthesis/cost.json"
MEMORY_MAP = "synthesis/memory_map.png"
SUMMARY_PAGE = "summary.html"
SUMMARY_PICTURE = "plots/summary.png"
