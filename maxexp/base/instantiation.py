"""Objects that a configuration names: ``_target_`` is a class of any library, the other keys are its arguments."""

import inspect
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from maxexp.base.errors import ConfigError, MaxexpError, in_one_line

TARGET = "_target_"


def named_class(key: str, chosen: Mapping[str, Any], kind: type) -> type[Any]:
    """The class that a mapping names, imported.

    Args:
        key: of the mapping, for messages.
        kind: what the class must be a subclass of.

    Raises:
        ConfigError: none is named, or there is none of that name and kind.
    """
    target = chosen.get(TARGET)
    if not isinstance(target, str) or "." not in target:
        raise ConfigError(
            f"{key}: needs {TARGET}, a {kind.__name__} by its whole name, as {TARGET}: package.module.Class, and its "
            "arguments as further keys"
        )
    module_name, _, name = target.rpartition(".")
    module = _imported(f"{key}.{TARGET}={target}", module_name)
    found = getattr(module, name, None)
    if not (inspect.isclass(found) and issubclass(found, kind)):
        raise ConfigError(f"{key}.{TARGET}={target}: no {kind.__name__}; {_known(module, name, kind)}")
    return found


def check_arguments(
    key: str, chosen: Mapping[str, Any], kind: type, supplied: Collection[str] = (), ours: Mapping[str, str] = {}
) -> type[Any]:
    """The class that a mapping names, whose constructor takes the mapping's other keys.

    Args:
        supplied: arguments that the code adds.
        ours: of these, those that another key of the configuration gives, with that key.

    Raises:
        ConfigError: as :func:`named_class`; an argument is unknown, given twice or missing.
    """
    found = named_class(key, chosen, kind)
    parameters = inspect.signature(found).parameters.values()
    keywords = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes = f"{found.__name__} takes {', '.join(name for name in keywords if name not in supplied) or 'none'}"
    for argument in (name for name in chosen if name != TARGET):
        if argument in ours:
            raise ConfigError(f"{key}.{argument}: give it as {ours[argument]}")
        if argument in supplied:
            raise ConfigError(f"{key}.{argument}: is not to be given; {takes}")
        if argument not in keywords and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise ConfigError(f"{key}.{argument}: no such argument; {takes}")
    needed = [p.name for p in parameters if p.default is p.empty and p.name in keywords]
    missing = [name for name in needed if name not in (*chosen, *supplied)]
    if missing:
        raise ConfigError(f"{key}.{missing[0]}: is missing; {takes}")
    return found


def build(key: str, chosen: Mapping[str, Any], kind: type, **supplied: Any) -> Any:
    """An instance of the class that a mapping names; so are mappings within it that name one.

    Args:
        supplied: further arguments.

    Raises:
        ConfigError: as :func:`check_arguments`; or the class refuses its arguments, in its own words.
    """
    found = check_arguments(key, chosen, kind, supplied)
    try:
        # In two steps, for Hydra would copy what is supplied.
        return instantiate({**chosen, "_partial_": True}, _convert_="all")(**supplied)
    except Exception as error:  # of whatever kind the class raises
        cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
        if isinstance(cause, MaxexpError):
            raise cause from None
        if isinstance(cause, ModuleNotFoundError) and cause.name:
            raise ConfigError(f"{key}: {_not_installed(cause.name)}") from error
        raise ConfigError(f"{key}: {found.__name__} refuses its arguments: {in_one_line(cause)}") from error


def _imported(where: str, name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or name).partition(".")[0]
        reason = f"there is no module {error.name}" if package == name.partition(".")[0] != error.name else None
        raise ConfigError(f"{where}: {reason or _not_installed(package)}") from error
    except ImportError as error:
        raise ConfigError(f"{where}: {in_one_line(error)}") from error


def _not_installed(package: str) -> str:
    return f"{package} is not installed; run: pip install {package.partition('.')[0]}"


def _known(module: ModuleType, name: str, kind: type) -> str:
    """Returns what a module has of a kind, the likeliest first."""
    classes = {n: c for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, kind) and c is not kind}
    public = sorted(n for n, c in classes.items() if not n.startswith("_") and not inspect.isabstract(c))
    near = get_close_matches(name, public, n=1)
    if near:
        return f"did you mean {module.__name__}.{near[0]}?"
    return f"{module.__name__} has {', '.join(public) or 'none'}"
