"""Fills `hft/prebuilt` with compiled kernels for any x86-64 processor: `make wheel` packs them.

What is compiled is what ran: an engine, the demo, and the tests named here, in processes that
compile for no processor in particular. Whoever installs the wheel keeps native code for all that is
not hft's. `dist/constraints.txt` names the versions that the kernels were compiled with.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PREBUILT = ROOT / "hft" / "prebuilt"
MACHINES = ("x86_64",)
# Their kernels are those that a first command of a user would wait for.
TESTS = (
    *("tests/feeds", "tests/tape", "tests/research/expressions", "tests/research/search"),
    *(
        "tests/research/test_signal_replays.py",
        "tests/microstructure",
        "tests/runs/test_relimit.py",
    ),
    *("tests/replay", "tests/venue/test_user_queue.py"),
)
HFT = "from hft.cli.app import main; main()"


def main() -> int:
    """Compile into a folder of its own, then put that folder into the package."""
    if platform.machine() not in MACHINES:
        print(f"prebuilt kernels are made on {', '.join(MACHINES)}; the wheel goes without")
        return 0
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        environment = {key: value for key, value in os.environ.items() if "NUMBA_" not in key}
        environment |= {"HFT_CACHE_DIR": str(home / "cache"), "PYTHONPATH": str(ROOT)}
        environment |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
        for words in ((HFT, "warmup"), (HFT, "demo")):
            command = [sys.executable, "-c", *words]
            subprocess.run(command, env=environment, cwd=home, check=True)
        tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        subprocess.run(tests, env=environment, cwd=ROOT, check=True)
        (folder,) = (home / "cache" / "hft" / "kernels").iterdir()
        shutil.rmtree(PREBUILT, ignore_errors=True)
        shutil.copytree(folder, PREBUILT / folder.name)
    size = sum(path.stat().st_size for path in PREBUILT.rglob("*")) / 1e6
    pins = [f"{name}=={version(name)}\n" for name in ("llvmlite", "numba", "numpy")]
    (ROOT / "dist").mkdir(exist_ok=True)
    for place in (PREBUILT, ROOT / "dist"):
        (place / "constraints.txt").write_text("".join(pins))
    print(f"{PREBUILT.relative_to(ROOT)}/{folder.name}: {size:.1f} MB of compiled kernels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
