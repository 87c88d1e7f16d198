"""The simulator: a definition in every trouble that the kernel is built for, in virtual time, from one seed."""

from remit.testing.simulator.coverage import COMMANDS, FACTS, PAIRS, Tally
from remit.testing.simulator.dice import ALL, Fault
from remit.testing.simulator.report import Failure, Outcome, Report, outcome_of, run_seed, run_seeds
from remit.testing.simulator.scenario import People, Post, Scenario, open_config
from remit.testing.simulator.simulate import (
    Setting,
    random_scenario,
    read_orchestration,
    simulate,
    simulate_random,
)
from remit.testing.simulator.timeline import timeline, trace_digest

__all__ = [
    "ALL",
    "COMMANDS",
    "FACTS",
    "PAIRS",
    "Failure",
    "Fault",
    "Outcome",
    "People",
    "Post",
    "Report",
    "Scenario",
    "Setting",
    "Tally",
    "open_config",
    "outcome_of",
    "random_scenario",
    "read_orchestration",
    "run_seed",
    "run_seeds",
    "simulate",
    "simulate_random",
    "timeline",
    "trace_digest",
]
