"""An environment as somebody else has it: the wheel of hft is installed, its checkout is not there.

What hft needs is linked from the environment of the tests, so that nothing is fetched.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
OURS = ("hft", "_editable", "__editable__", "__pycache__")


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout, without prebuilt kernels unless there are some."""
    words = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path) -> Path:
    """A virtual environment with all that hft needs and without hft; returns its `bin`."""
    words = ["-m", "venv", "--without-pip", str(folder)]
    subprocess.run([sys.executable, *words], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(OURS) and path.suffix != ".pth":
            (site / path.name).symlink_to(path)
    script = folder / "bin" / "pytest"  # a package that is linked brings no command
    script.write_text(
        f"#!{folder / 'bin' / 'python'}\nimport pytest\nraise SystemExit(pytest.main())\n"
    )
    script.chmod(0o755)
    return folder / "bin"


def install(bin_: Path, *what: str) -> None:
    """Install into the environment, from files alone."""
    words = ["-m", "pip", "--python", str(bin_ / "python"), "install", "-q", "--no-index"]
    subprocess.run([sys.executable, *words, "--no-deps", "--no-compile", *what], check=True)


def variables(bin_: Path, **more: str) -> dict[str, str]:
    """The environment of somebody whose shell has activated it; nothing of ours is inherited."""
    kept = ("HOME", "LANG", "HFT_CACHE_DIR", "XDG_CACHE_HOME", "NUMBA_DISABLE_JIT", "TMPDIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return found | {"PATH": f"{bin_}:/usr/bin:/bin", "VIRTUAL_ENV": str(bin_.parent)} | more
