"""Builds the development environment and its lock; runs on the standard library alone.

    environment.py install    create .venv and bring it to the state of the locks
    environment.py lock       resolve pyproject.toml again and write the locks
    environment.py fuzzer     put the fuzzer of `make campaign-fuzz` into .cache/fuzzer

Owns: how packages get into `.venv`. Everything that enters it is pinned by hash.
Does not know: where packages come from. pip's own configuration says that, and is handed to uv through the environment,
so that no address is ever written into this repository.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCK = ROOT / "requirements.lock"
FUZZ_LOCK = ROOT / "requirements-fuzz.lock"
FUZZER = ROOT / ".cache" / "fuzzer"
BOOTSTRAP_LOCK = ROOT / "requirements-bootstrap.lock"
PYTHON_VERSION_MIN = (3, 11)

LIST_SETTINGS = {"extra-index-url": "UV_EXTRA_INDEX_URL", "find-links": "UV_FIND_LINKS"}
SCALAR_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "trusted-host": "UV_INSECURE_HOST",
}


def install() -> None:
    """Create `.venv` if need be and make it hold what the locks name, and this project, editable."""
    require_python()
    create_venv()
    install_uv()
    environment = uv_environment()
    # The lock's hashes decide which file is taken, so the order of indexes does not matter.
    # Nothing is removed: a test run next door must not lose its packages. `make clean` makes a fresh start.
    pinned = [UV, "pip", "install", "--quiet", "--no-build", "--python", PYTHON, "--require-hashes", "--requirement"]
    run([*pinned, LOCK], environment)
    project = [UV, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "--no-build-isolation", "--editable"]
    run([*project, ROOT], environment)


def fuzzer() -> None:
    """Install the fuzzer beside `.venv`: it has wheels for few systems, and nothing else needs it."""
    command = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--no-build",
        "--python",
        PYTHON,
        "--target",
        FUZZER,
        "--require-hashes",
    ]
    run([*command, "--requirement", FUZZ_LOCK], uv_environment())


def lock() -> None:
    """Resolve the locks from pyproject.toml, for every platform, with hashes and without addresses."""
    require_python()
    create_venv()
    install_uv()
    # Private mirrors often carry a few files of a release only; their hashes would not hold elsewhere.
    environment = {**uv_environment(), "UV_EXTRA_INDEX_URL": "", "UV_FIND_LINKS": ""}
    compile_ = [UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
    compile_ += ["--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock", *sys.argv[2:]]
    run([*compile_, "--all-extras", "--output-file", LOCK.name, "pyproject.toml"], environment)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "bootstrap.in")
        source.write_text("uv\n", encoding="utf-8")
        run([*compile_, "--no-annotate", "--output-file", BOOTSTRAP_LOCK.name, source], environment)
        # The last release with wheels for the oldest Python that we support.
        source.write_text("atheris<3.1\n", encoding="utf-8")
        run([*compile_, "--no-annotate", "--output-file", FUZZ_LOCK.name, source], environment)


def require_python() -> None:
    """Stop with advice when the interpreter is too old or cannot make virtual environments."""
    if sys.version_info < PYTHON_VERSION_MIN:
        sys.exit(f"expected Python 3.11 or newer, got {sys.version.split()[0]}: run `make PYTHON=python3.12 …`")
    try:
        import ensurepip  # noqa: F401 - Debian ships Python without it
    except ModuleNotFoundError:
        version = sysconfig.get_python_version()
        sys.exit(f"expected the venv and ensurepip modules, got neither: run `apt-get install python{version}-venv`")


def create_venv() -> None:
    """Create `.venv` unless a working one of this Python version is there."""
    if is_venv_usable():
        return
    print(f"creating {VENV.name} with Python {sysconfig.get_python_version()}", flush=True)
    venv.create(VENV, clear=True, symlinks=True, with_pip=True)


def is_venv_usable() -> bool:
    """Tell whether `.venv` runs, has pip, and is not older than what we need."""
    probe = f"import pip, sys; sys.exit(sys.version_info < {PYTHON_VERSION_MIN})"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", probe], check=False, capture_output=True).returncode == 0


def install_uv() -> None:
    """Install the locked uv with pip, which reads its own configuration."""
    if not BOOTSTRAP_LOCK.exists():
        run([PYTHON, "-m", "pip", "install", "--quiet", "uv"], dict(os.environ))
        return
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--require-hashes", "--requirement", BOOTSTRAP_LOCK], dict(os.environ))


def uv_environment() -> dict[str, str]:
    """Return the environment for uv: ours, plus pip's settings where uv has none of its own."""
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_PROGRESS": "1"}
    settings = pip_settings()
    for name, variable in SCALAR_SETTINGS.items():
        if name in settings:
            environment[variable] = settings[name].strip()
    for name, variable in LIST_SETTINGS.items():
        if name in settings:
            environment[variable] = ("," if name == "find-links" else " ").join(settings[name].split())
    if settings.get("no-index", "").strip().lower() in {"1", "true", "yes", "on"}:
        environment["UV_NO_INDEX"] = "1"
    if not os.access(Path.home(), os.W_OK):
        environment["UV_NO_CACHE"] = "1"
    environment.update(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    return environment


def pip_settings() -> dict[str, str]:
    """Return what pip is configured with; the environment wins over `[install]`, and that over `[global]`."""
    listing = subprocess.run(
        [PYTHON, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    settings: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in listing:
            name, separator, value = line.partition("=")
            if separator and name.startswith(section):
                settings[name.removeprefix(section)] = str(ast.literal_eval(value))
    return settings


def run(command: list[str | Path], environment: dict[str, str]) -> None:
    """Run a command in the project's root; end with its exit code if it fails."""
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False)
    if result.returncode != 0:
        sys.exit(result.returncode)


if __name__ == "__main__":
    commands = {"install": install, "lock": lock, "fuzzer": fuzzer}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(f"expected one of {', '.join(commands)}, got {sys.argv[1:]!r}")
    commands[sys.argv[1]]()
