"""YAML without its surprises.

Only `true` and `false` are booleans, so that a limit may be `off` and a country `no`; there are no
base-60 numbers and no dates; a key given twice is refused.
"""

import re
from typing import Any

import yaml

from hft.core.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """SafeLoader with the resolvers below; `source` names the file in messages."""

    source = ""


_Loader.yaml_implicit_resolvers = {}

_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9][0-9_]*$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*)?\.[0-9]+(?:e[-+]?[0-9]+)?$|^[-+]?[0-9]+e[-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise ConfigError(
                f"{loader.source}: line {key_node.start_mark.line + 1}: a key is text"
            )
        if key in found:
            line = key_node.start_mark.line + 1
            raise ConfigError(f"{loader.source}: line {line}: key {key!r} is given twice; keep one")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _plain_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    # PyYAML would read 0123 as octal.
    return int(str(node.value).replace("_", ""))


def _plain_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(node.value).replace("_", ""))


_Loader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _plain_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _plain_float)


def key_lines(text: str) -> dict[str, int]:
    """The line of each key by its dotted name; of text that `load_yaml` has read."""
    root = yaml.compose(text, Loader=_Loader)
    found: dict[str, int] = {}
    waiting = [("", root)]
    while waiting:
        prefix, node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = f"{prefix}{key.value}"
                found[name] = key.start_mark.line + 1
                waiting.append((f"{name}.", value))
    return found


def load_yaml(text: str, source: str) -> Any:
    """The one document in `text`; `source` is the file's name for messages.

    Raises: ConfigError naming the line.
    """
    try:
        loader = _Loader(text)
    except yaml.YAMLError:  # its text names the position in the whole, not the line
        at = next(n for n, c in enumerate(text) if _Loader.NON_PRINTABLE.match(c))
        line, code = text.count("\n", 0, at) + 1, ord(text[at])
        raise ConfigError(
            f"{source}: line {line}: has the character U+{code:04X}; remove it"
        ) from None
    loader.source = source
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            f"{source}: line {line}: is not valid YAML: {error.problem or error.context}"
        ) from None
    except RecursionError:
        raise ConfigError(f"{source}: is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{source}: holds a number that cannot be read: {error}") from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"{source}: is not valid YAML: {first}") from None
    finally:
        loader.dispose()
