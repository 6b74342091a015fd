"""The root command: a table of command groups, each imported only when it is used.

It decides how an error leaves the program: one sentence on stderr and the exit code of its class
(docs/reference/exit-codes.md), under --json also as a document on stdout. A traceback means a
defect of hft.
"""

import gc
import os
import re
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from hft.cli import context
from hft.cli.help import forgiven, tidy
from hft.cli.page import page
from hft.core.errors import HftError, Unavailable
from hft.core.version import VERSION
from hft.storage.interrupts import hear

INTERNAL, USAGE, IO_ERROR, CONFIG, INTERRUPTED = 1, 64, 74, 78, 130
CHOICE, CHOICES = re.compile(r"'([^']*)' is not one of (.*)"), re.compile(r"'([^']*)'")
BEFORE_A_COLLECTION = 300_000  # new objects: imports and compiling make many and leave no garbage
USED = "UsageError"  # what an error document calls a command line that cannot be understood

# name: (module that holds `app`, first line of its help)
GROUPS: dict[str, tuple[str, str]] = {
    "demo": ("hft.cli.demo", "Replay a synthetic market day through the gateway."),
    "data": ("hft.cli.data", "Ingest, show and verify recorded markets."),
    "replay": ("hft.cli.replay", "Run, list, show, verify, compare and fork replays."),
    "gateway": ("hft.cli.gateway", "Trade on paper, and steer and prove it."),
    "alpha": ("hft.cli.alpha", "Take an alpha from an idea to a canary, with evidence."),
    "recorder": ("hft.cli.recorder", "Bring recorded rows to the database, and verify them."),
    "metrics": ("hft.cli.metrics", "Figures of gateway and recorder for Prometheus."),
    "audit": ("hft.cli.audit", "Show, verify, deliver and pack the audit trail."),
    "init": ("hft.cli.init", "Make a workspace for alphas in a folder."),
    "config": ("hft.cli.config", "Show the effective settings."),
    "warmup": ("hft.cli.warmup", "Compile what a first command would wait for."),
    "doctor": ("hft.cli.doctor", "Say what of this installation works, and what to do."),
    "docs": ("hft.cli.docs", "Read the documentation in the terminal."),
    "bench": ("hft.cli.bench", "Measure hft beside its peers."),
}


def load_group(name: str) -> Any:
    """The command object of a group, imported now."""
    module = GROUPS[name][0]
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise Unavailable(f"{name}: this command is not part of this installation") from None
        raise Unavailable(
            f"{name}: needs the package {error.name!r}, which is not installed; pip install it"
        ) from None
    loaded.app._add_completion = False  # the root has it
    _refuse_repeats(loaded.app)
    command = typer.main.get_command(loaded.app)
    tidy(command).name = name
    if context.current.json:
        _no_help(command)
    return command


class Once:
    """A command that refuses an option of one value given twice: the last would win in silence.

    It takes a word of a choice by its letters. Its page of help is ours.
    """

    def parse_args(self: Any, ctx: Any, args: list[str]) -> Any:
        args = _heard_quiet(self.params, forgiven(self.params, args))
        given = self.make_parser(ctx).parse_args(args=list(args))[2]
        for one in given:
            single = not getattr(one, "multiple", True) and not getattr(one, "is_flag", True)
            if single and given.count(one) > 1 and not ctx.resilient_parsing:
                raise typer.BadParameter(f"{one.opts[0]} is given twice; keep one", ctx=ctx)
        return super().parse_args(ctx, args)  # type: ignore[misc]

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        formatter.write(page(self, ctx))


class OnceCommand(Once, TyperCommand):
    """A command of a group; what users' code prints is no part of a JSON document."""

    def invoke(self: Any, ctx: Any) -> Any:
        with context.prints_aside():
            return super().invoke(ctx)


class OnceGroup(Once, TyperGroup):
    """A group whose own options stand before the command."""


def _refuse_repeats(group: typer.Typer) -> None:
    if not isinstance(group.info.cls, type):  # one that chose its class has no options of its own
        group.info.cls = OnceGroup
    for command in group.registered_commands:
        command.cls = OnceCommand
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _refuse_repeats(inner.typer_instance)


def _no_help(command: Any) -> None:
    """A group without a command is an error under --json, not a page of help."""
    command.no_args_is_help = False
    for inner in getattr(command, "commands", {}).values():
        _no_help(inner)


class LazyGroup(Once, TyperGroup):
    """Lists the table without importing it; resolves a name by importing its module."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        tidy(self)
        super().format_help(ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in GROUPS:
            return None
        return TyperCommand(cmd_name, help=GROUPS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # Only the names are read, to suggest one for a typo.
        self.commands = {name: self.get_command(ctx, name) for name in GROUPS}
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_group(name) if name in GROUPS else command, rest


app = typer.Typer(
    cls=LazyGroup,
    name="hft",
    help="Replay recorded markets through the gateway that would send the orders live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _heard_quiet(params: list[Any], args: list[str]) -> list[str]:
    """`--quiet` behind the command holds as it does before it, as `--json` does."""
    until = args.index("--") if "--" in args else len(args)
    own = any("--quiet" in getattr(one, "opts", ()) for one in params)
    if own or "--quiet" not in args[:until]:
        return args
    context.current.quiet = True
    return [word for word in args[:until] if word != "--quiet"] + args[until:]


def _version(wanted: bool) -> None:
    if wanted:
        context.current.json = context.current.asked
        context.emit({"version": VERSION}, f"hft {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    config: Annotated[
        str | None, typer.Option(help="Configuration file (YAML, TOML, JSON).", metavar="P")
    ] = None,
    json: context.Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no notices.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Options of every command."""
    context.current.config, context.current.quiet = config, quiet
    if config is not None:
        from hft.settings.load import choose_file

        choose_file(config)


def _with_report_file(args: list[str]) -> list[str]:
    """`replay show --report` without a file means the run's folder, as an empty name does."""
    words, at = list(args), 0
    while words[at:] and words[at].startswith("-"):  # options of every command
        at += 2 if words[at] == "--config" else 1
    if words[at : at + 2] == ["replay", "show"] and "--report" in words[at:]:
        behind = words.index("--report", at) + 1
        if behind == len(words) or words[behind].startswith("-"):
            words.insert(behind, "")
    return words


def run(args: list[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing escapes as an exception."""
    context.begin(sys.argv[1:] if args is None else args)
    if sys.flags.optimize:
        return _say("python -O drops the invariant checks; run without it", CONFIG, "ConfigError")
    readable()
    usage_error, click_error = typer.BadParameter.__mro__[1:3]
    try:
        words = _with_report_file(sys.argv[1:] if args is None else args)
        code = typer.main.get_command(app).main(words, prog_name="hft", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer answers Ctrl-C with this code and without a word
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except HftError as error:
        return _say(str(error), error.exit_code, type(error).__name__, _kept(error))
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted; what was finished is kept", INTERRUPTED, "Interrupted")
    except (BrokenPipeError, SystemExit) as error:
        return _stopped(error)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        from hft.storage.cures import cured

        return _say(f"{place}{cured(error)}", IO_ERROR, "OSError")
    except Exception as error:
        if isinstance(error, usage_error):
            return _say_usage(error)
        if isinstance(error, click_error):
            return _say(error.format_message(), USAGE, USED)  # type: ignore[attr-defined]
        traceback.print_exc()
        return _say("this is a defect of hft; the lines above say where", INTERNAL, "Defect")
    finally:
        if context.current.config is not None:
            from hft.settings.load import choose_file

            choose_file(None)


def readable() -> None:
    """A terminal that is not UTF-8 gets what it can show instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _stopped(error: BaseException) -> int:
    """The code of a clean exit; 0 when the reader of our output went away (`hft ... | head`)."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    code = getattr(error, "code", None)
    if isinstance(code, str):  # as Python ends for it
        return _say(code, INTERNAL, "Defect")
    return code if isinstance(code, int) else 0


def _kept(error: HftError) -> dict[str, Any]:
    """The numbers of an error, and where the run so far is, of a replay that it ended."""
    run = getattr(error, "run", None)
    return dict(error.facts) | ({} if run is None else {"run": str(run.path)})


def _say(sentence: str, code: int, kind: str, more: dict[str, Any] | None = None) -> int:
    sys.stderr.write(f"hft: {sentence}\n")
    if context.current.wants_error:
        context.current.json = True
        try:
            said = {"error": sentence, "kind": kind, "exit_code": code}
            context.emit(said | (more or {}), "")
            sys.stdout.flush()
        except BrokenPipeError as error:
            _stopped(error)
    return code


def _near(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _say_usage(error: Any) -> int:
    message = error.format_message().replace("Value error, ", "")  # a word of the parser's own
    chosen = CHOICE.search(message)
    if chosen and (near := _near(chosen[1], CHOICES.findall(chosen[2]))):
        message = f"{message.rstrip('.')}{near}"
    if error.ctx is None:
        return _say(message, USAGE, USED)
    if type(error).__name__ == "NoArgsIsHelpError":
        # The message is the help text; it is empty where rich has already printed it.
        sys.stdout.write(message)
        return USAGE
    return _say(f"{message} (see `{error.ctx.command_path} --help`)", USAGE, USED)


def main() -> None:
    """The console script `hft`."""
    gc.set_threshold(BEFORE_A_COLLECTION)
    hear()
    sys.exit(run())


if __name__ == "__main__":
    main()
