"""A sweep as one interactive page: its trials beside one another, as a comparison shows runs."""

from collections.abc import Sequence

from maxexp.report.comparison.collect import collect_all, select_runs
from maxexp.report.comparison.comparison import compare
from maxexp.report.page.page import to_html
from maxexp.sweep.outcome.report import best
from maxexp.sweep.workers.results import Result
from maxexp.tracking.store import Store

MOST_TRIALS = 40
"""On the page: each is several requests to the store, and some 20 kB of it."""


def sweep_page(name: str, found: Sequence[Result], store: Store) -> str | None:
    """The page, as HTML; None where no trial is complete.

    Args:
        found: trials of all phases. The Pareto set and the baseline come first, then the latest, MOST_TRIALS in all.
    """
    complete = [result for result in reversed(found) if result.outcome == "complete"]
    ranked = dict.fromkeys(r.run_id for r in (*best(found), *complete) if r.run_id and r.outcome == "complete")
    chosen = list(ranked)[:MOST_TRIALS]
    if not chosen:
        return None
    runs, notes = select_runs(store, chosen, None)
    if len(ranked) > len(chosen):
        notes.append(f"{len(ranked) - len(chosen)} of {len(ranked)} complete trials are not shown.")
    return to_html(compare(collect_all(runs), notes), f"Sweep {name}", f"Trials of the sweep {name} in {store}.")
