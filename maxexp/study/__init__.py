"""Studies: which runs answer which question, run, tabulated and checked (``python -m maxexp.study``)."""
