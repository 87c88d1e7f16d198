"""The peers' environments: one folder for each below ``.cache/peers``, filled from a lock that is committed here.

    python -m benchmarks.peers.environments install [NAME…]
    python -m benchmarks.peers.environments lock [NAME…] [--upgrade]

Owns: what a peer needs, and how it gets there: pinned by hash, without addresses, the way `.venv` is made.
Does not know: what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from scripts import environment

HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = environment.ROOT / ".cache" / "peers"
REQUIREMENTS: Final = {
    "absurd": ("absurd-sdk", "absurdctl"),
    "dbos": ("dbos", "uvloop"),
    "langgraph": ("langgraph", "langgraph-checkpoint-postgres", "psycopg[binary,pool]", "uvloop"),
    "restate": ("restate-sdk[serde]", "hypercorn", "httpx", "uvloop"),
}
"""What each peer needs from the Python registry."""

NODE_PEERS: Final = frozenset({"restate"})
"""Peers that also need what their ``package-lock.json`` names: the server is distributed as a node package."""


def interpreter(name: str) -> Path:
    """Return the Python of a peer's environment."""
    return FOLDER / name / "bin" / "python"


def install(name: str) -> None:
    """Make a peer's environment hold what its locks name; does nothing when it does already."""
    stamp = FOLDER / name / ".installed"
    wanted = _fingerprint(name)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"installing {name}", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = environment.uv_environment()
    environment.run([environment.UV, "venv", "--quiet", "--python", sys.executable, FOLDER / name], settings)
    pinned = [environment.UV, "pip", "install", "--quiet", "--no-build", "--python", interpreter(name)]
    environment.run([*pinned, "--require-hashes", "--requirement", HERE / f"{name}.lock"], settings)
    if name in NODE_PEERS:
        _install_node(name)
    stamp.write_text(wanted, encoding="utf-8")


def lock(name: str, *options: str) -> None:
    """Resolve a peer's requirements again and pin them by hash."""
    settings = {**environment.uv_environment(), "UV_EXTRA_INDEX_URL": "", "UV_FIND_LINKS": ""}
    command = "python -m benchmarks.peers.environments lock"
    compile_ = [environment.UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    compile_ += ["--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"{name}.in")
        source.write_text("\n".join(REQUIREMENTS[name]) + "\n", encoding="utf-8")
        output = HERE / f"{name}.lock"
        environment.run(
            [*compile_, "--custom-compile-command", command, *options, "--output-file", output, source], settings
        )
    if name in NODE_PEERS:
        npm = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved=true"]
        subprocess.run([*npm, "--no-audit", "--no-fund"], cwd=HERE / name, check=True)


def _install_node(name: str) -> None:
    target = FOLDER / name / "node"
    target.mkdir()
    for file in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name / file, target / file)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(npm, cwd=target, check=True)


def _fingerprint(name: str) -> str:
    files = [HERE / f"{name}.lock"]
    if name in NODE_PEERS:
        files.append(HERE / name / "package-lock.json")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    return f"{sys.version.split()[0]} {os.uname().machine} {digest.hexdigest()}\n"


def main() -> None:
    """Install or lock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("act", choices=["install", "lock"])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(REQUIREMENTS)}; all when none is given"
    )
    parser.add_argument("--upgrade", action="append_const", const="--upgrade", default=[], help="take newer versions")
    arguments = parser.parse_args()
    for name in arguments.names or REQUIREMENTS:
        if arguments.act == "lock":
            lock(name, *arguments.upgrade)
        else:
            install(name)


if __name__ == "__main__":
    main()
