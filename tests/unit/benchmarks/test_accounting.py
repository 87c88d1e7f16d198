"""What a measurement is charged for."""

import os
import subprocess
import sys

from benchmarks.peers.accounting import CpuTime, cost, cpu_time

BURN = "import time\nwhile time.process_time() < 0.2: pass"


def test_time_of_ended_children_is_charged_to_the_tree() -> None:
    """
    What a process's children used counts as its own, also when they have ended; what is below the server does not.
    """
    before = cpu_time(os.getpid(), 0)
    subprocess.run([sys.executable, "-c", BURN], check=True)

    spent = cost(before, cpu_time(os.getpid(), 0))

    assert spent["client_cpu_seconds"] >= 0.15
    assert 0 == spent["server_cpu_seconds"]


def test_child_that_is_the_server_is_charged_as_server() -> None:
    """
    An engine's own server below its program counts once, and as the server's.
    """
    server = subprocess.Popen([sys.executable, "-c", f"{BURN}\nprint(flush=True)\ninput()"], stdin=-1, stdout=-1)
    try:
        assert server.stdout is not None
        before = cpu_time(os.getpid(), server.pid)
        server.stdout.readline()
        spent = cost(before, cpu_time(os.getpid(), server.pid))
    finally:
        server.communicate(b"\n")

    assert spent["server_cpu_seconds"] >= 0.1
    assert spent["client_cpu_seconds"] < spent["server_cpu_seconds"]


def test_share_of_others_is_what_neither_side_used() -> None:
    """
    Of two seconds on a machine, what was busy and is not the measured trees' is the others' share.
    """
    cores = os.cpu_count() or 1
    before = CpuTime(client=1.0, server=1.0, machine=10.0, stolen=0.0, at=0.0)
    after = CpuTime(client=1.5, server=1.25, machine=11.75, stolen=0.5, at=2.0)

    spent = cost(before, after)

    assert (0.5, 0.25) == (spent["client_cpu_seconds"], spent["server_cpu_seconds"])
    assert 1.0 / (2 * cores) == spent["others_share"]
    assert 0.5 / (2 * cores) == spent["stolen_share"]
