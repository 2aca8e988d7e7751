"""How a run ended, read from the exception that ended it."""

import signal

from maxexp.tracking.text import one_line

_SIGNAL_EXIT_CODES = {128 + signal.SIGINT, 128 + signal.SIGTERM}


def status_after(error: BaseException | None) -> str:
    """Returns MLflow's status for a run that ended with an exception, or with none.

    KILLED is for an end that was asked for: KeyboardInterrupt, SIGTERM, and a SystemExit that libraries
    make of these. A SystemExit of code 0 is a normal end; everything else FAILED.
    """
    if error is None:
        return "FINISHED"
    if request_behind(error):
        return "KILLED"
    return "FINISHED" if isinstance(error, SystemExit) and not error.code else "FAILED"


def request_behind(error: BaseException) -> BaseException | None:
    """Returns the request to end that an exception is or stems from, if there is one.

    Lightning, for one, answers Ctrl-C with a SystemExit of code 1, like that of a failure. Other
    exceptions are failures even if they happen while such a request is obeyed.
    """
    if isinstance(error, SystemExit) and error.code in _SIGNAL_EXIT_CODES:
        return error
    link: BaseException | None = error
    while link is not None:
        # Lightning's SIGTERMException is known by name, not to import Lightning for it.
        if isinstance(link, KeyboardInterrupt) or type(link).__name__ == "SIGTERMException":
            return link
        link = (link.__cause__ or link.__context__) if isinstance(link, SystemExit) else None
    return None


def summary(error: BaseException) -> str:
    """Returns ``Type: message`` on one line, or ``Type`` where there is no message."""
    return f"{type(error).__name__}: {one_line(error)}" if str(error).strip() else type(error).__name__
