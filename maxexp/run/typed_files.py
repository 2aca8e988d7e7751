"""YAML files in which texts stay as they were written: YAML would read ``2026_11_30`` as a number, ``007`` as 7."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Annotated, Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource as HydraFiles
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import DictConfig, ListConfig, OmegaConf
from yaml import MappingNode, Node, ScalarNode, SequenceNode, YAMLError
from yaml.constructor import ConstructorError

from maxexp.base.errors import FormatError
from maxexp.base.text_keys import TEXTS, declared, declared_below, has_named_keys, inner_kind, is_text, kind_of
from maxexp.base.yaml_file import BoundedLoader, read_text

_TAG = "tag:yaml.org,2002:"
_NUMBERS = tuple(f"{_TAG}{name}" for name in ("int", "float", "bool", "value"))
_NO_VALUE = ("null", "~", "")
"""How a value is taken away; in other spellings, which YAML knows too, it is a text."""
_OPTIONS = Annotated[Any, TEXTS]
"""Of a file's list of defaults: names of files."""


def load_typed(path: Path, schema: type) -> DictConfig | ListConfig:
    """Returns the content of a file whose keys a dataclass declares.

    Raises:
        FormatError: It is no YAML, or has neither a mapping nor a list.
        OSError: It cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return _load(file, schema)
    except YAMLError as error:
        raise FormatError(f"it is no YAML: {' '.join(str(error).split())}") from error


def register_files() -> None:
    """Makes Hydra read its files so, before it has registered its own way."""
    SourcesRegistry.instance().register(FileConfigSource)


class FileConfigSource(HydraFiles):
    """Hydra's files; it takes the first class of this name. An option may also be a path: ``model=./my_net.yaml``."""

    def is_config(self, config_path: str) -> bool:
        own = _own_file(config_path)
        return os.path.isfile(own[1]) if own else super().is_config(config_path)

    def load_config(self, config_path: str) -> ConfigResult:
        full_path = os.path.realpath(os.path.join(self.path, self._normalize_file_name(config_path)))
        if own := _own_file(config_path):
            config_path, full_path = f"{own[0]}/{os.path.basename(own[1])}", own[1]
        if not os.path.exists(full_path):
            raise ConfigLoadError(f"Config not found : {full_path}")
        with open(full_path, encoding="utf-8") as file:
            header = ConfigSource._get_header_dict(file.read(512))
            file.seek(0)
            content = _load(file, _Package(_package(config_path, header.get("package"))))
        return ConfigResult(self.provider, f"{self.scheme()}://{self.path}", content, header)


@dataclass(frozen=True)
class _Package:
    """Stands for the type of a file's content: the keys below a package, and the list of defaults."""

    prefix: str

    def inner(self, name: str) -> Any:
        if name == "defaults":
            return _OPTIONS
        key = f"{self.prefix}.{name}".lstrip(".")
        return _Package(key) if declared_below(key) else kind_of(key)


def _own_file(config_path: str) -> tuple[str, str] | None:
    """The group and the path of an option that is a path; None for one that is a name."""
    found = re.fullmatch(r"([^/.]+(?:/[^/.]+)*)/((?:/|\./|\.\./|~/).*\.ya?ml)", config_path)
    return (found[1], os.path.expanduser(found[2])) if found else None


def _package(config_path: str, header: str | None) -> str:
    """The dotted place of a file's content, which its header names, or else its folder."""
    group = config_path.rpartition("/")[0].replace("/", ".")
    if header is None:
        return group
    return header.replace("_group_", group).replace("_global_", "").strip(".")


def _load(file: IO[str], kind: Any) -> DictConfig | ListConfig:
    return OmegaConf.create(_content(read_text(file), file.name, kind, declared()))


@lru_cache(maxsize=256)
def _content(text: str, name: str, kind: Any, declared: frozenset[str]) -> dict | list:
    """The content of a text, parsed once: a sweep composes the same files for each trial.

    Args:
        name: of the file, for errors.
        declared: what kinds are known, which decides what is a text.
    """
    loader = BoundedLoader(text, name)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        _keep_texts(node, kind, set())
        content = loader.construct_document(node)
    finally:
        loader.dispose()
    if not isinstance(content, (dict, list)):
        raise ConstructorError(None, None, "it is neither a mapping nor a list", node.start_mark)
    return content


def _keep_texts(node: Node, kind: Any, seen: set[tuple[int, str]]) -> None:
    """Takes what is written for a text where the type says so."""
    if kind is None or (id(node), repr(kind)) in seen:
        return
    seen.add((id(node), repr(kind)))
    if isinstance(node, ScalarNode):
        if is_text(kind):
            _keep_text(node)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _keep_texts(item, kind if kind is _OPTIONS else inner_kind(kind, ["0"]), seen)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            merged = key.tag == f"{_TAG}merge"
            if has_named_keys(kind) and not merged:
                _keep_text(key)
            _keep_texts(value, kind if merged else _inner(kind, str(key.value)), seen)


def _inner(kind: Any, name: str) -> Any:
    if isinstance(kind, _Package):
        return kind.inner(name)
    return kind if kind is _OPTIONS else inner_kind(kind, [name])


def _keep_text(node: Node) -> None:
    null = node.tag == f"{_TAG}null" and node.value not in _NO_VALUE
    if isinstance(node, ScalarNode) and node.style is None and (node.tag in _NUMBERS or null):
        node.tag = f"{_TAG}str"
