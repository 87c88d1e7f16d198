"""What the checks of the action pipeline cost one step: contract, permission, bounds, loop, approval rule.

Measured on the call that W1 makes, in a tight loop, median of several batches.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.workloads import BOUNDS, bench_step
from remit.core.state import RunUsage
from remit.governance.approvals import find_rule
from remit.governance.bounds import check_bounds
from remit.governance.contracts import check_arguments
from remit.governance.loops import check_loop
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope
from remit.governance.scopes import check_permission

BATCHES = 20
CALLS = 2_000


def governance_us_per_step(*, has_rule: bool = False) -> float:
    """Return microseconds of CPU per call; with a rule, an expression is asked whether a person must agree."""
    contract = bench_step.contract
    rules = (ApprovalRule(id="large", tool="bench.step", condition="input.step > 100"),) if has_rule else ()
    config = BusinessConfig(
        name="bench", version="1.0.0", bounds=BOUNDS, scopes=(Scope(tool="bench.step"),), approval_rules=rules
    )
    usage = RunUsage(steps=10, tool_calls=10, calls_by_tool={"bench.step": 10})
    fingerprints = [f"bench.step:{number:016x}" for number in range(40)]
    arguments = {"step": 7}
    run = {"id": "r", "tenant": "default", "principal": "operator"}
    batches = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        for _ in range(CALLS):
            check_arguments(contract, arguments)
            check_permission(config, principal_id="operator", contract=contract, arguments_size=10)
            check_bounds(BOUNDS, usage, tool="bench.step")
            check_loop(fingerprints, repeats_max=10)
            find_rule(config, contract=contract, arguments=arguments, run=run)
        batches.append((time.perf_counter() - started) / CALLS * 1e6)
    return statistics.median(batches)
