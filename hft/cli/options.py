"""The options of a replay on the command line, said once; each command that replays takes them all.

Their names and defaults are those of `hft.replay`; a test holds the two together. `--set` is
`params=`, and `--venue`, `--latency`, `--queue`, `--fees` and `--taken` together are `venue=`.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any, Literal

import typer

from hft.cli import complete, context

Out = Annotated[
    str | None, typer.Option(help="Folder that run folders are in (the setting replay.out).")
]
TapesIn = Annotated[
    str | None,
    typer.Option("--tapes", help="Folder in which the run's tapes are found by their hash."),
]
RUN = "Run: id, its beginning, last, last~1, last.partial or a path."
Name = Annotated[str, typer.Argument(help=RUN, autocompletion=complete.runs)]
Other = Annotated[str, typer.Argument(help="The other run.", autocompletion=complete.runs)]

Text = str | None
SET = (
    "A parameter, such as half_ticks=2; may be repeated. Of several strategies NAME.half_ticks=2. "
    "An unknown one is refused with the list of those there are; docs/reference/shipped.md says "
    "what they mean."
)
EXAMPLE = {
    "--set": "half_ticks=2",
    "--latency": "entry=5ms",
    "--fees": "maker_bps=0",
    "--alpha": "market_making=btc_imbalance",
}
# Option -> its type with help, and its default.
REPLAY: dict[str, tuple[Any, Any]] = {
    "set_": (
        Annotated[list[str] | None, typer.Option("--set", help=SET, metavar="KEY=VALUE")],
        None,
    ),
    "limits": (
        Annotated[Text, typer.Option(help="Limits: a name, a file, off, or fit to the tapes.")],
        None,
    ),
    "venue": (Annotated[Text, typer.Option(help="Venue preset, such as binance_usdm.")], None),
    "latency": (
        Annotated[Text, typer.Option(help="5ms, or by leg: entry=5ms,cancel=3ms,response=1ms.")],
        None,
    ),
    "queue": (
        Annotated[
            Text, typer.Option(help="Queue model, such as prob_log, or your own: FILE.py:NAME.")
        ],
        None,
    ),
    "taken": (
        Annotated[
            Literal["stays", "restated"] | None,
            typer.Option(help="What we took stays until its level falls, or until it is restated."),
        ],
        None,
    ),
    "crossed": (
        Annotated[
            Literal["returns", "restated"] | None,
            typer.Option(
                help="A crossed level returns when what crossed it goes, or when it is restated."
            ),
        ],
        None,
    ),
    "fees": (Annotated[Text, typer.Option(help="maker_bps=0,taker_bps=2")], None),
    "seed": (Annotated[int, typer.Option(help="Seed of everything random.", min=0)], 0),
    "start": (
        Annotated[Text, typer.Option(help="First wake-up not before (ISO-8601).")],
        None,
    ),
    "end": (Annotated[Text, typer.Option(help="No row after (ISO-8601).")], None),
    "record": (
        Annotated[
            Literal["digest", "summary", "full"] | None,
            typer.Option(help="What is kept; full, or the setting replay.record."),
        ],
        None,
    ),
    "faults": (Annotated[Text, typer.Option(help="Fault plan, a YAML file.")], None),
    "controls": (
        Annotated[Text, typer.Option(help="Control inputs at a time, a YAML list.")],
        None,
    ),
    "promotions": (
        Annotated[Text, typer.Option(help="Folder of promotion files; their weights bind.")],
        None,
    ),
    "alphas": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--alpha", help="The alpha a strategy is bound to.", metavar="STRATEGY=ALPHA"
            ),
        ],
        None,
    ),
    "fresh": (
        Annotated[bool, typer.Option("--fresh", help="Run even if a sealed run exists.")],
        False,
    ),
    "out": (Out, None),
    "plain": (
        Annotated[
            bool, typer.Option("--plain", help="Strategies as plain Python, for a debugger.")
        ],
        False,
    ),
    "resume": (
        Annotated[
            Text,
            typer.Option(
                help="Continue this partial run of the same arguments.",
                autocompletion=complete.runs,
            ),
        ],
        None,
    ),
}


def replays(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options above; it receives them as the keywords of `hft.replay`."""
    return giving(REPLAY, keywords)(command)


def giving(
    table: dict[str, tuple[Any, Any]],
    gather: Callable[[dict[str, Any]], dict[str, Any]],
    made: tuple[str, ...] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: the options of `table` after the command's own, before --json.

    `gather` makes the keywords of the command of them; `made` are those it names in its signature.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        named = [one for one in signature.parameters.values() if one.name not in made]
        own = [one for one in named if one.kind is not one.VAR_KEYWORD]

        @wraps(command)
        def called(**given: Any) -> None:
            options = {name: given.pop(name) for name in table}
            command(**given, **gather(options))

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in table.items()
        ]
        after = [one.replace(kind=keyword) for one in own if one.name == "json"]
        before = [one for one in own if one.name != "json"]
        every = [*before, *parameters, *after]
        called.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=every
        )
        called.__annotations__ = {one.name: one.annotation for one in every}
        return called

    return decorate


def keywords(options: dict[str, Any]) -> dict[str, Any]:
    """The options as `hft.replay` takes them."""
    rest = dict(options)
    rest["params"] = pairs("--set", rest.pop("set_") or []) or None
    rest["alphas"] = pairs("--alpha", rest.pop("alphas") or []) or None
    legs = [rest.pop(name) for name in ("latency", "queue", "fees", "taken", "crossed")]
    return rest | {"venue": venue(rest["venue"], *legs)}


def strategies(texts: list[str], params: dict[str, str], plain: bool) -> Any:
    """The strategy of `-s`, or several by name, with their parameters as `--set` gives them."""
    from hft.runs.code.sources import found_for

    found: dict[str, Any] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        own = bool(rest) and name.isidentifier()
        one = found_for(rest if own else text, plain)
        name = name if own else one.name
        if name in found:
            raise typer.BadParameter(
                f"-s: two strategies are called {name!r}; name them: -s a={text} -s b={text}"
            )
        found[name] = one
    if len(found) == 1:
        ((name, one),) = found.items()
        changed = changed_by(one, params)
        return changed if name == one.name else {name: changed}
    of: dict[str, dict[str, str]] = {name: {} for name in found}
    for key, value in params.items():
        name, _, parameter = key.partition(".")
        if not parameter or name not in found:
            raise typer.BadParameter(
                f"--set {key}: several strategies run; write NAME.{parameter or key}={value} with "
                f"a name of {', '.join(found)}"
            )
        of[name][parameter] = value
    return {name: changed_by(one, of[name]) for name, one in found.items()}


def changed_by(one: Any, params: dict[str, str]) -> Any:
    """The strategy with other parameters. Raises: ConfigError that names the one meant."""
    from hft.core.errors import ConfigError
    from hft.runs.nearest import nearest

    try:
        return one.with_params(params)
    except ConfigError as error:
        unknown = next((name for name in params if name not in one.params), "")
        raise ConfigError(f"{error}{nearest(unknown, one.params)}") from None


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """`key=value` texts as a mapping; a key given twice is refused."""
    found: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key or not value:
            raise typer.BadParameter(f"write {option} key=value, as in {option} {EXAMPLE[option]}")
        if key in found:
            raise typer.BadParameter(f"{option}: {key} is given twice; keep one")
        found[key] = value
    return found


def venue(
    name: Text,
    latency: Text,
    queue: Text,
    fees: Text,
    taken: Text = None,
    crossed: Text = None,
) -> Any:
    """A preset with what was given on top; None leaves the choice to the call."""
    if name is latency is queue is fees is taken is crossed is None:
        return None
    from hft.runs.code.sources import find_queue
    from hft.runs.venues import Venue, named

    given: dict[str, Any] = {}
    if latency is not None:
        legs = "=" in latency
        given["latency"] = pairs("--latency", latency.split(",")) if legs else latency
    if queue is not None:
        given["queue"] = find_queue(queue)
    if fees is not None:
        given["fees"] = pairs("--fees", fees.split(","))
    if taken is not None:
        given["taken"] = taken
    if crossed is not None:
        given["crossed"] = crossed
    return replace(named(name) if name is not None else Venue(), **given)


def folder(out: Text) -> str:
    """The folder of runs: as given, else the setting."""
    return out if out is not None else str(context.settings().replay_out)


def find(name: str, out: Text) -> Any:
    """The run of that name; of `last` it is said where another began since and did not end."""
    from hft.runs.folder.layout import PARTIAL, folders
    from hft.runs.result import load

    found = load(name, folder(out))
    newest = list(folders(folder(out)))[-1].name if name == "last" else ""
    if newest.endswith(PARTIAL):
        context.note(f"{found.id} is the last run that ended; {newest}, since, is last.partial")
    return found
