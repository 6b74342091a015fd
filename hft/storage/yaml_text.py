"""YAML text with stable bytes: sorted keys, block style."""

from typing import Any

import yaml


def dump_yaml(data: Any) -> str:
    """The same data is always the same text."""
    return yaml.safe_dump(data, sort_keys=True, allow_unicode=True, default_flow_style=False)
