"""How a page of help names what an option takes: one short word, and nothing where it takes none.

Choices and ranges stand in the sentence, where they may wrap between two words; in the column of
kinds they would be broken in the middle of one, or push the names of options off the page.
"""

from collections.abc import Sequence
from typing import Any

import typer

WORDS = {int: "N", float: "X", str: "TEXT"}


def tidy(command: Any) -> Any:
    """Give every parameter of a command, and of the commands in it, a short word."""
    for parameter in command.params:
        if parameter.param_type_name == "argument" or parameter.is_flag:
            parameter.display_type_rich = _nothing
            continue
        if parameter.metavar is None:
            parameter.metavar = _word(parameter)
        bounds = _bounds(parameter.min, parameter.max)
        if bounds:
            parameter._get_number_range_help_str = lambda: None
            _say(parameter, bounds)
    shown = command.get_help_option(typer.Context(command))
    if shown is not None:
        shown.display_type_rich = _nothing
    for inner in getattr(command, "commands", {}).values():
        tidy(inner)
    return command


def forgiven(parameters: Any, args: Sequence[str]) -> list[str]:
    """The arguments, with the words of a choice as it has them: fill and round-trips are found."""
    words = list(args)
    for one in parameters:
        kind: Any = getattr(one, "type_descriptor", None)
        if not getattr(kind, "is_choice", False) or one.param_type_name == "argument":
            continue
        for k, word in enumerate(words):
            if k and words[k - 1] in one.opts:
                words[k] = _meant(word, kind.choices)
            name, sign, value = word.partition("=")
            if sign and name in one.opts:
                words[k] = f"{name}={_meant(value, kind.choices)}"
    return words


def _meant(word: str, choices: Any) -> str:
    """The only choice of the same letters, without case, - and _, or its plural; else the word."""
    same = [str(one) for one in choices if _letters(str(one)) == _letters(word)]
    return same[0] if len(same) == 1 else word


def _letters(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").removesuffix("s")


def _word(option: Any) -> str:
    kind = option.type_descriptor
    if kind.is_choice:
        _say(option, f"One of {', '.join(kind.choices)}.")
        return "WORD"
    if kind.is_path or kind.is_file:
        return "PATH"
    return WORDS.get(kind.annotation, "TEXT")


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f"At most {high:g}."
    return f"At least {low:g}." if high is None else f"From {low:g} to {high:g}."


def _say(option: Any, sentence: str) -> None:
    """Add a sentence to an option's help, once: a command may be made again from the same."""
    if sentence not in (option.help or ""):
        option.help = f"{option.help or ''} {sentence}".strip()


def _nothing(ctx: Any) -> None:
    """A flag, and an argument, take no value that is worth a word."""
