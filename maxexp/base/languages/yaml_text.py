"""YAML for OmegaConf, which keeps every text as it is."""

from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf._utils import get_omega_conf_dumper

_LINE_BREAKS = "\x85\u2028\u2029"
"""Line ends of Unicode: PyYAML writes them without escaping them, and reads them as blanks."""


def omegaconf_yaml(content: Any) -> str:
    """Returns plain values as YAML, as ``OmegaConf.to_yaml`` does, whose texts lose the line ends of Unicode.

    Args:
        content: nested mappings and lists.
    """
    node = OmegaConf.create(content)
    text: str = OmegaConf.to_yaml(node)
    if not any(mark in text for mark in _LINE_BREAKS):
        return text
    # The same YAML, but for characters beyond ASCII, which are escaped.
    plain = OmegaConf.to_container(node, enum_to_str=True)
    escaped: str = yaml.dump(plain, default_flow_style=False, sort_keys=False, Dumper=get_omega_conf_dumper())
    return escaped
