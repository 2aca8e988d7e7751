"""Files that travel with maxexp: configurations, studies, trained networks."""

from importlib import resources, util
from pathlib import Path

TEACHERS = "maxexp_teachers"
"""The package of the networks that presets learn from; too large for maxexp's own wheel."""


def installed_from_wheel() -> bool:
    """Tells whether maxexp was installed by a wheel, so that there is no checkout around it."""
    return (_package() / "conf").is_dir()


def conf_dir() -> str:
    """The folder of configurations, as Hydra takes it."""
    return str(_package() / "conf" if installed_from_wheel() else _package().parent / "conf")


def experiments_dir() -> Path:
    """The folder of studies, with their results."""
    return _package() / "_experiments" if installed_from_wheel() else _package().parent / "experiments"


def zoo_dir() -> Path:
    """The folder of trained networks, each with its card."""
    return experiments_dir() / "zoo"


def teachers_dir() -> Path | None:
    """The folder of the package of teachers; None where it is not installed."""
    found = util.find_spec(TEACHERS)
    places = list(found.submodule_search_locations or []) if found else []
    return Path(places[0]) if places else None


def _package() -> Path:
    return Path(str(resources.files("maxexp")))
