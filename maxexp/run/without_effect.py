"""Settings that somebody typed although other choices leave them without effect: each is told, none is refused."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from maxexp.board.config import BoardKind
from maxexp.data.config import DatasetSource
from maxexp.quantization.config import Method
from maxexp.schema.config import Config, Stage
from maxexp.schema.repeat import key_of
from maxexp.synthesis.config import Referee, SynthesisMethod


class _Rule(NamedTuple):
    """Keys, by patterns, that count only under some choices.

    Attributes:
        needs: what must be chosen for them to count.
        counts: whether it is.
    """

    keys: tuple[str, ...]
    needs: str
    counts: Callable[[Config], bool]


def _quantizes(*methods: Method) -> Callable[[Config], bool]:
    return lambda config: config.quantization.method in methods


def _optimizes_with_momentum(config: Config) -> bool:
    return "sgd" in (config.recipe.optimizer, config.recipe.qat_optimizer)


def _runs_the_synthesizer(config: Config) -> bool:
    asked = config.synthesis.method is SynthesisMethod.native and config.synthesis.referee is not Referee.never
    return asked or config.synthesis.method is SynthesisMethod.ai8x


_OF_QUANTIZATION = ("weight_bits", "layer_bits", "calibration_images", "equalize", "search_scales", "correct_biases")
_SHIPPED = (DatasetSource.digits, DatasetSource.diabetes, DatasetSource.basic_motions)
_RULES = (
    _Rule(("recipe.*", "trainer.max_epochs"), "the stage train", lambda config: Stage.train in config.stages),
    _Rule(("recipe.momentum",), "recipe.optimizer=sgd", _optimizes_with_momentum),
    _Rule(("recipe.warmup",), "recipe.schedule=onecycle", lambda config: config.recipe.schedule == "onecycle"),
    _Rule(
        ("recipe.milestones", "recipe.gamma"),
        "recipe.schedule=multistep",
        lambda config: config.recipe.schedule == "multistep",
    ),
    _Rule(
        ("recipe.qat_optimizer", "recipe.qat_learning_rate", "quantization.start_epoch"),
        "quantization=qat",
        _quantizes(Method.qat),
    ),
    _Rule(
        tuple(f"quantization.{key}*" for key in _OF_QUANTIZATION),
        "quantization=qat or ptq",
        _quantizes(Method.qat, Method.ptq),
    ),
    _Rule(
        ("synthesis.path", "synthesis.python", "synthesis.timeout_s"),
        "synthesis=ai8x, or synthesis=native with its referee",
        _runs_the_synthesizer,
    ),
    _Rule(("board.images", "board.connection*"), "a board", lambda config: config.board.kind is not BoardKind.none),
    _Rule(
        ("board.application",),
        "the stage synthesize, and quantization=qat or ptq",
        lambda config: Stage.synthesize in config.stages and config.quantization.method is not Method.float,
    ),
    _Rule(
        ("dataset.root",),
        "data of your own; these are part of a Python package",
        lambda config: config.dataset.source not in _SHIPPED,
    ),
    _Rule(
        ("dataset.hop", "dataset.label", "dataset.range_per_channel"),
        "dataset=signals",
        lambda config: config.dataset.source is DatasetSource.signals,
    ),
)


def without_effect(config: Config, overrides: Iterable[str]) -> list[str]:
    """Returns a sentence for each typed key that has no effect under the other choices."""
    told = []
    for key in dict.fromkeys(map(key_of, overrides)):
        rule = next((rule for rule in _RULES if _names(rule, key) and not rule.counts(config)), None)
        if rule:
            told.append(f"{key} has no effect here: it needs {rule.needs}")
    return told


def _names(rule: _Rule, key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in rule.keys)
