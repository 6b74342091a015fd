"""`docs/attacks.md`: every attack that is run, by who would do it, from the tests themselves.

python tests/attacks/table.py        prints it
python tests/attacks/table.py FILE   writes it
"""

import ast
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))
from attack_world import attacks  # noqa: E402

HEAD = """# Attacks

Generated from the tests by `tests/attacks/table.py`; a test fails where they differ. Who is kept
out, and what is not promised, is in [governance.md](governance.md#who-is-kept-out).

## The author of alpha code

Each is a file of `tests/attacks`, written as its author would: `make attacks` installs it in a
workspace and runs the installed `hft alpha validate` under `standard` on 1004 sessions without
edge; the last column is the line seen there. "noise" means that no structural line stops it: what
it earns has to be evidence, and here it is none (Gates B and C fail). `make soak` runs all of them
on 24 sessions, the test command one of each kind.

| Attack | Tries | Promise | Stopped by |
|---|---|---|---|
"""
WALLS = """
### System calls and files

Refused by the walls, each tried from inside by `tests/research/worker/test_walls.py`:

"""
OTHERS = """
## An owner with a shell, and the holder of one stolen key

Found by `hft audit verify`, in another clone where it says so, or refused. Each line is a test:

| Where | What |
|---|---|
"""
FILES = {
    "the journal and its signatures": ("test_audit_verify", "test_signed_rows", "test_anchors"),
    "a remote that takes nothing back": ("test_remote", "test_remote_cache"),
    "git in the workspace": ("test_repository",),
    "links, a full remote, clocks, keys that are over": ("test_links_and_clocks",),
    "promotion files, reports and packs": ("test_with_promotions", "test_artifacts", "test_pack"),
    "keys": ("test_trust",),
}
END = """
## The owner of the judging machine

Nothing is promised.
"""


def table() -> str:
    """The page."""
    rows = [
        f"| `{one.name}` | {one.tries} | {one.promise} | {_cell(one.stopped_by)} |\n"
        for one in attacks()
    ]
    return "".join([HEAD, *rows, WALLS, _walls(), OTHERS, *_others(), END])


def _cell(pattern: str) -> str:
    """A pattern in words: "this or that"."""
    return " or ".join(part.replace(".", "'") for part in pattern.split("|"))


def _walls() -> str:
    text = (TESTS / "research" / "worker" / "test_walls.py").read_text()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ATTACKS":
            assert isinstance(node.value, ast.Dict)
            names = [ast.literal_eval(key) for key in node.value.keys if key is not None]
            return "; ".join(names) + ".\n"
    raise LookupError("test_walls.py has no ATTACKS")


def _others() -> list[str]:
    rows = []
    for where, names in FILES.items():
        for name in names:
            for node in ast.parse((TESTS / "audit" / f"{name}.py").read_text()).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    rows.append(f"| {where} | {node.name[5:].replace('_', ' ')} |\n")
    return rows


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(table())
    else:
        sys.stdout.write(table())
