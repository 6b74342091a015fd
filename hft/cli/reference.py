"""The generated pages of docs/reference: commands, reasons, limits, settings, view and order.

`make reference` writes them; a test compares them with what they would be now, so that a command, a
reason or a setting cannot appear without its line.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from hft.cli import app as root
from hft.cli import members
from hft.core import errors
from hft.core.codes import Reason
from hft.core.errors import HftError
from hft.core.reasons import MEANINGS, STAGES
from hft.feeds.findings import LIMITS as FINDINGS
from hft.feeds.findings import Limit
from hft.gateway.limits import KEYS as LIMIT_KEYS
from hft.governance.profile import NAMES, Profile
from hft.metrics.catalogue import as_markdown
from hft.settings.keys import KEYS
from hft.storage.strict_yaml import load_yaml
from hft.strategies.registry import SHIPPED, shipped

_GOVERNANCE = Path(__file__).resolve().parents[2] / "config" / "governance"
_HEAD = "<!-- Written by `make reference`; edit the source it names, not this page. -->\n"


_LIMITS_HEAD = """\
Source: `hft/gateway/limits.py`. A set is a YAML file of these keys (`config/limits`); a key that it
does not state has the default here. A value is a number, or text relative to the instrument and its
first tape that is more than a snapshot: `50 x touch` (median lots at the best prices),
`20 % capital`, `max(1 s, 5 x p999_gap)` (99.9 % of the gaps between rows are shorter, on that tape
of the instrument where they are widest), `1 x position_notional`; `off` checks nothing. What a
run resolved them to is in its `limits.yaml`, and `hft.Limits.fit(tapes)` gives such numbers to be
read and changed. A `*` stands for a strategy or a symbol: written as it stands the key holds for
each that has none of its own, but for `alpha_id`.

## Numbers of another configuration

Configurations whose amounts, prices and quantities are integers x 10 000 are read with `_x` behind
the key, and only with it:

| Written there | Means | Written here |
|---|---|---|
| `max_position_size: 100000` | 10 lots | `max_position_size: 10` or `max_position_size_x: 100000` |
| `max_daily_loss: 1000000000` | 100 000 | `max_daily_loss_x: 1000000000` |
| `risk.max_price_cap: 50000000` | 5000.0 | `risk.max_price_cap_x: 50000000` |

Without `_x` such a number is taken as it stands and is 10 000 times looser than meant: the first
line of the run's card then says which key is how many times what the market suggests. A key written
in both forms is refused. `_x` is known for every key in currency, lots or price, in limit files,
settings and the environment (`HFT_MAX_DAILY_LOSS_X`).

Where hft differs from the configuration it takes these keys from is
[decision 0034](../adr/0034-where-hft-is-stricter-than-what-it-replaces.md).

## Keys
"""


_FINDINGS_HEAD = """\
Source: `hft/feeds/findings.py`; `hft/feeds/sanity.py` looks for them in the rows of every tape,
whoever decoded it: vendors' formats, own frames and files, plug-ins. A decoder adds what only it
can see.
Above its limit, a share of the rows, a finding refuses the source (exit code 65) with its count and
its first row; `--waive NAME` (`waive=("NAME",)`) accepts it, and the waiver stays on the tape.
A finding without a limit only informs. `hft data show TAPES` prints them all; what counts moments
counts the ends of receive times, as strategies see them. [Faults in recordings](../mutations.md)
says what they find of faults that were planted.
"""


_METRICS_HEAD = """\
Source: `hft/metrics/catalogue.py`. [Metrics](../metrics.md) says how they are read.
Of: `service` is a live gateway, `paper` a session on paper, `run` a run folder, `recorder` the
folders of rows that wait. What is not measured is absent, never 0.
"""


MEANING_OF_CODE = {
    0: "ok",
    root.INTERNAL: "a defect of hft; the traceback says where",
    2: "the answer is no: a gate not passed, a canary rolled back, a difference found, a step that "
    "governance refuses",
    root.USAGE: "a command line that cannot be understood: an option that there is not, one that "
    "is missing, empty, given twice or has no effect here, a value of another kind or outside what "
    "--help names",
    65: "an input that is not there or cannot be used: data, tape, run, alpha, evidence, strategy",
    69: "something that hft needs does not answer or is not installed",
    73: "an output that is already there, or cannot be made",
    root.IO_ERROR: "a file that cannot be read or written, a full disk, a torn journal",
    75: "somebody else holds it; try again",
    root.CONFIG: "understood, and not allowed: the value of a setting, limit or argument, "
    "whatever the data are",
    root.INTERRUPTED: "interrupted; finished data is intact",
}
_EXIT_CODES_HEAD = """\
An error is one sentence on stderr that names file, row or key, and the fix. Under `--json` stdout
has it as the one document, `{"error": SENTENCE, "kind": KIND, "exit_code": CODE}`, of a replay that
it ended with `run`, the folder of the run so far, and of rows whose time goes back with `row`,
`back_ns` and `times`; a command that ends with another code than 0 after its result, such as
`hft replay diff`, has written the result.
"""


def pages() -> dict[str, str]:
    """File name -> text of each generated page."""
    return {
        "cli.md": commands_page(),
        "exit-codes.md": exit_codes_page(),
        "reasons.md": reasons_page(),
        "settings.md": settings_page(),
        "limits.md": limits_page(),
        "members.md": members_page(),
        "shipped.md": shipped_page(),
        "thresholds.md": thresholds_page(),
        "findings.md": findings_page(),
        "metrics.md": metrics_page(),
    }


def metrics_page() -> str:
    """The catalogue of metrics."""
    return f"# Metrics\n\n{_HEAD}\n{_METRICS_HEAD}\n{as_markdown()}"


def findings_page() -> str:
    """Every finding of ingest: meaning, effect on a replay, limit, cure."""
    lines = ["# Findings\n", _HEAD, _FINDINGS_HEAD]
    lines += ["| Finding | Means | Does to a replay | Limit | Cure |", "|---|---|---|---|---|"]
    for name, limit in sorted(FINDINGS.items()):
        cells = (limit.meaning, limit.effect, _share(limit), limit.fix)
        lines.append(f"| `{name}` | {' | '.join(cell or '-' for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _share(limit: Limit) -> str:
    if limit.share is None:
        return "informs"
    return "none" if limit.share == 0 else f"{limit.share * 100:g} %"


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that this installation has, with its full name, groups before members."""
    command = typer.main.get_command(root.app)
    yield "hft", command
    for name in root.GROUPS:
        try:
            group = root.load_group(name)
        except errors.Unavailable:
            continue
        yield from _walk(f"hft {name}", group)


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for child_name, child in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {child_name}", child)


def commands_page() -> str:
    lines = [
        _HEAD,
        "# Commands\n",
        "Source: `hft/cli`. Exit codes: [exit-codes.md](exit-codes.md).",
    ]
    lines.append(
        "`--config`, `--json` and `--quiet` stand before the command and hold for each; `--json` "
        "and `--quiet` may stand behind it, too.\n"
    )
    for name, command in commands():
        usage = " ".join([f"`{name}`", *_arguments(command)])
        lines += [f"## {name}\n", f"{_sentence(command.help)}\n", f"Usage: {usage}\n"]
        rows = [_option_row(option) for option in command.params if _is_shown(option)]
        if rows:
            lines += ["| Option | Meaning | Default |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _arguments(command: Any) -> list[str]:
    return [
        f"`{parameter.name.upper()}{'...' if parameter.nargs == -1 else ''}`"
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]


def _is_shown(parameter: Any) -> bool:
    return parameter.param_type_name == "option" and parameter.name not in (
        "help",
        "install_completion",
        "show_completion",
    )


def _option_row(option: Any) -> str:
    default = option.default
    if default is None or isinstance(default, bool) or callable(default) or default == []:
        shown = ""
    else:
        shown = f"`{default}`"
    names = ", ".join(f"`{name}`" for name in option.opts)
    return f"| {names} | {_sentence(option.help)} | {shown} |"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).replace("|", "\\|")


def exit_codes_page() -> str:
    kinds: dict[int, list[str]] = {
        root.INTERNAL: ["`Defect`"],
        root.USAGE: [f"`{root.USED}`"],
        73: ["`AlreadyThere`"],
        root.IO_ERROR: ["`OSError`"],
        root.INTERRUPTED: ["`Interrupted`"],
    }
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, HftError) and error is not HftError:
            text = _sentence(error.__doc__).rstrip(".")
            kinds.setdefault(error.exit_code, []).append(f"`{error.__name__}`: {text}")
    lines = [_HEAD, "# Exit codes\n", "Source: `hft/core/errors.py`, `hft/cli/app.py`.\n"]
    lines += [_EXIT_CODES_HEAD, "| Code | Meaning | Kinds |", "|---|---|---|"]
    for code, meaning in MEANING_OF_CODE.items():
        lines.append(f"| {code} | {meaning} | {'; '.join(kinds.pop(code, []))} |")
    if kinds:
        raise LookupError(f"no meaning is written for {sorted(kinds)}")
    return "\n".join(lines) + "\n"


def reasons_page() -> str:
    lines = [
        _HEAD,
        "# Reasons\n",
        "Source: `hft/core/codes.py`, `hft/core/reasons.py`. A refusal is",
    ]
    lines += ["data: a decision carries one of these codes with value, limit and margin.\n"]
    for stage, title in STAGES.items():
        members = [reason for reason in Reason if reason.value // 100 == stage]
        lines += [f"## {stage}xx {title}\n" if stage else "## Approved\n"]
        lines += ["| Code | Name | Meaning | Setting |", "|---|---|---|---|"]
        for reason in members:
            meant = MEANINGS[reason]
            key = f"`{meant.key}`" if meant.key else ""
            lines.append(f"| {reason.value} | `{reason.name}` | {meant.text} | {key} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    lines = [_HEAD, "# Settings\n", "Source: `hft/settings/keys.py`; reasons are in"]
    lines += ["[config/default.yaml](../../config/default.yaml). A limit left unset is decided by"]
    lines += ["the limits file of the run.\n"]
    lines += ["| Key | Environment | Default | Unit, values |", "|---|---|---|---|"]
    for key in KEYS:
        name = key.name.replace("*", "&lt;id&gt;")
        default = "limits file" if key.limit else "unset" if key.default is None else key.default
        values = "; ".join(part for part in (", ".join(key.choices), key.unit) if part)
        values = values or ("true, false" if key.kind == "bool" else key.kind)
        variables = ", ".join(f"`{variable}`" for variable in key.variables)
        shown = str(default).lower() if isinstance(default, bool) else default
        lines.append(f"| `{name}` | {variables} | {shown} | {values} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def limits_page() -> str:
    reasons: dict[str, list[str]] = {}
    for reason, meant in MEANINGS.items():
        if meant.key:
            name = meant.key.replace("<id>", "*").replace("<s>", "*")
            reasons.setdefault(name, []).append(f"`{reason.name}`")
    lines = [_HEAD, "# Limits\n", _LIMITS_HEAD]
    lines += ["| Key | Meaning | Default | Unit | Refuses with |", "|---|---|---|---|---|"]
    for key in LIMIT_KEYS:
        default = "unset" if key.default is None or key.default == "" else key.default
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        refuses = ", ".join(reasons.get(key.name, []))
        meaning = members.LIMITS[key.name]
        lines.append(f"| `{key.name}` | {meaning} | `{shown}` | {key.unit} | {refuses} |")
    return "\n".join(lines) + "\n"


def members_page() -> str:
    lines = [_HEAD, "# Members of view and order\n"]
    lines += ["Source: `hft/strategies/members.py`; how a strategy is written is told in"]
    lines += [
        "[strategies.md](../strategies.md). int64 ticks and lots unless named; compiled and in"
    ]
    lines += ["plain Python alike.\n"]
    for title, table in (("view", members.VIEW), ("order", members.ORDER)):
        lines += [f"## {title}\n", "| Member | Meaning |", "|---|---|"]
        for name, meaning in table.items():
            whole = name if name.startswith(title) else f"{title}.{name}"
            lines.append(f"| `{whole}` | {meaning} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def shipped_page() -> str:
    """Every shipped strategy with its clock and its parameters."""
    lines = [_HEAD, "# Shipped strategies\n"]
    lines += ["Source: `hft/strategies`. A parameter is set by `--set name=value` or"]
    lines += ["`params={...}`, and its kind is that of its default; `--set` may be repeated:\n"]
    lines += ["```", "hft replay run synthetic --strategy market_making --set half_ticks=2 --set"]
    lines[-1] += " skew_ticks=1"
    lines += ["```\n"]
    for name in SHIPPED:
        one = shipped(name)
        about = sys.modules[f"hft.strategies.{name}"].__doc__ or ""
        lines += [f"## {name}\n", f"{about.strip()}\n"]
        clock = f"Wakes every {one.every_ns // 1_000_000} ms"
        lines += [f"{clock}; listens to {one.instruments} instrument(s).\n"]
        lines += ["| Parameter | Default | Meaning, unit |", "|---|---|---|"]
        for parameter, default in one.params.items():
            lines.append(f"| `{parameter}` | {default} | {members.PARAMETERS[name][parameter]} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def thresholds_page() -> str:
    """The thresholds of the shipped profiles, side by side, with their comments."""
    files = {name: (_GOVERNANCE / f"{name}.yaml").read_text("utf-8") for name in NAMES}
    values = {name: Profile.from_dict(load_yaml(text, name), name) for name, text in files.items()}
    said = _comments(files["standard"])
    lines = [_HEAD, "# Thresholds\n", "Source: `config/governance`. A key that ends in `_min` or"]
    lines += ["`_max` is a bound and may be tightened by `--set`; `-` is not asked for.\n"]
    lines += [f"| Key | {' | '.join(NAMES)} | |", f"|---|{'---|' * len(NAMES)}---|"]
    for key in values["standard"].values:
        cells = [_shown(values[name].values.get(key)) for name in NAMES]
        lines.append(f"| `{key}` | {' | '.join(cells)} | {said.get(key, '')} |")
    return "\n".join(lines) + "\n"


def _comments(text: str) -> dict[str, str]:
    """What stands behind a key in the file, by dotted key."""
    found, section = {}, ""
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        if line and not line.startswith((" ", "#")):
            section = key
        elif line.startswith("  ") and "#" in rest:
            found[f"{section}.{key.strip()}"] = rest.split("#", 1)[1].strip()
    return found


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
