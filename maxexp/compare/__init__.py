"""Any runs beside one another: in the terminal, as Markdown and CSV, and as a page (``python -m maxexp.compare``)."""
