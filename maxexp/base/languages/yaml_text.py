"""YAML that OmegaConf reads as it was."""

from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf._utils import get_omega_conf_dumper

_LINE_BREAKS = "\x85\u2028\u2029"
"""YAML takes them for line ends, which it reads as blanks; PyYAML writes them as they are where it writes Unicode."""


def omegaconf_yaml(content: Any) -> str:
    """Returns plain values as YAML; other than ``OmegaConf.to_yaml`` also for texts with line ends of Unicode.

    Args:
        content: nested mappings and lists.
    """
    node = OmegaConf.create(content)
    text: str = OmegaConf.to_yaml(node)
    if not any(mark in text for mark in _LINE_BREAKS):
        return text
    # Escaped, with all else that is not ASCII; quoted as OmegaConf's own YAML is.
    plain = OmegaConf.to_container(node, enum_to_str=True)
    escaped: str = yaml.dump(plain, default_flow_style=False, sort_keys=False, Dumper=get_omega_conf_dumper())
    return escaped
