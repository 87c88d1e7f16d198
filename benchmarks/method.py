"""The words of the performance page about method: what is the same for every engine, what differs, and how to repeat.

Owns: the prose. Figures, versions and dates in it come from the measurements.
"""

from __future__ import annotations

from typing import Any, Final

Figures = dict[str, Any]

SAME: Final = """## What is the same

- **The work.** W1: 200 runs of ten sequential steps, 64 in flight, again and again for at least a second and a half.
  W2: one run of ten steps at a time. W3: one run of 500 steps that may all run at once. W4: a run submitted to an idle
  engine, until its first step begins. A step returns about 200 bytes of JSON and does nothing else, so what is measured
  is the engine. The programs are [in the repository](../../benchmarks/peers), one for each engine, on one
  [harness](../../benchmarks/peers/harness.py).
- **The machine**, and all of it: in each round every engine in turn gets a new process and a new database, and nobody
  else works. Rounds repeat that, so noise that comes and goes meets everybody.
- **The database.** One PostgreSQL for all who use one, with the settings of Remit's embedded server: `fsync`,
  `full_page_writes` and `synchronous_commit` on, 128 MB of shared buffers, over a unix socket. There is a checkpoint
  before each engine's turn. Restate has a server of its own instead.
- **The language.** Python on uvloop, one process for client and engine, each engine's asynchronous API.
- **The check.** Every run's result is compared with what it must be, and the number of finished runs with what the
  engine's own storage says. An engine that returns something else ends the measurement."""

FAIR: Final = """Some choices favour a peer, on purpose. Absurd's W1 is watched by one query for the whole batch, for
waiting for each task would poll once more per task; eight workers share its tasks, which was its best here. DBOS and
LangGraph are called directly, without a queue in between. A run of Remit goes through its whole pipeline: contract,
permission, bounds, loop detection, approval rules and receipts, with the verdicts in a hash-chained journal; no peer
does this work, and nothing of it is turned off.

Where the comparison does not reach: one machine with two cores, one process for each engine, payloads of 200 bytes and
steps that do nothing. A peer may do better with several processes, other payloads or a larger machine. Nobody but us
has tuned these programs; a correction is welcome as a change to the program in question."""

COST: Final = """CPU seconds are read from `/proc` for the process trees of client and server, before and after; writing
transactions from the next transaction id and the log's length from its position, exactly; rows and fsyncs from the
server's statistics in one round, after its idle connections have reported theirs. Restate's server keeps its own log,
whose rows and transactions cannot be counted this way."""


def sections(peers: Figures, wide: Figures) -> list[str]:
    """Return the sections about method; those that need measurements are left out without them."""
    return [
        SAME,
        *_differences(peers),
        "## How costs are counted\n\n" + COST,
        *_noise(peers, wide),
        *_repeat(peers, wide),
    ]


def _differences(peers: Figures) -> list[str]:
    engines = peers.get("engines", [])
    if not engines:
        return []
    lines = [f"- **{engine['title']}**{_versions(engine)}: {engine['guarantee']}." for engine in engines]
    return ["## What differs", "What is durable before the step after it begins:\n\n" + "\n".join(lines), FAIR]


def _versions(engine: Figures) -> str:
    versions = engine.get("versions") or {}
    return f" ({', '.join(f'{name} {version}' for name, version in versions.items())})" if versions else ""


def _noise(peers: Figures, wide: Figures) -> list[str]:
    shares = [note["others_share"] for note in peers.get("noise", []) if note["others_share"] is not None]
    stolen = [note["stolen_share"] for note in peers.get("noise", []) if note["stolen_share"] is not None]
    if not shares:
        return []
    text = (
        f"While W1 was measured, processes that had nothing to do with it used between {min(shares):.1%} and "
        f"{max(shares):.1%} of the machine, and its host took up to {max(stolen):.1%}; each turn's share is in "
        "`bench-peers.json`, as `noise`. The disk is a virtual machine's and its fsync is as quick as its host lets "
        "it be: "
        "compare figures of one run with each other, not with those of another machine."
    )
    if "load" in wide:
        share = wide["load"]["others_share"]
        text += f" For Remit alone it was {share['min']:.1%} to {share['max']:.1%}."
    return ["## Noise", text]


def _repeat(peers: Figures, wide: Figures) -> list[str]:
    lines = [
        "```sh",
        "make bench         # the budget: bench.json",
        "make bench-wide    # Remit under load and beside a history: bench-wide.json",
        "make bench-peers   # needs npm; installs the peers below .cache: bench-peers.json",
        "make bench-page    # this page, from those files",
        "```",
    ]
    parts = ["## How to repeat it", "\n".join(lines)]
    for title, figures in (("Peers", peers), ("Remit alone", wide.get("load") or {})):
        if figures:
            scale = "" if figures["scale"] == 1 else f", **at {figures['scale']:g} of the full numbers: a trial**"
            parts.append(
                f"{title}: measured {figures['started'][:10]}, {figures['rounds']} rounds, "
                f"{figures['duration_seconds']} s{scale}."
            )
    machine = peers.get("machine") or wide.get("machine")
    if machine:
        version = peers.get("server", {}).get("server_version", "18")
        parts.append(
            f"The machine: {machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
            f"{machine['system']}, Python {machine['python']}, PostgreSQL {version}."
        )
    return parts
