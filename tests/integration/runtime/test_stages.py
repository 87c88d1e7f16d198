"""The twelve stages of the action pipeline on the real store: each refuses, suspends or acts as it says."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from remit.bootstrap import OPERATOR
from remit.core.definition import Bounds
from remit.core.states import SideEffectLevel
from remit.errors import ToolError
from remit.governance.breaker import BreakerConfig
from remit.governance.policy import Scope
from remit.runtime.runs import Settlement
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract, refusal
from tests.integration.runtime.stage import QUICK, TENANT, WIDE, After, Stage, reasons

STRICT: dict[str, Any] = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "minimum": 1}},
    "required": ["amount"],
}


async def refused(stage: Stage, tool: ScriptedTool, **options: Any) -> dict[str, Any]:
    """Run one call that is refused before the tool, and return the fact that says why."""
    step = options.pop("step", None) or stage.step(tool.contract.name)
    run = await stage.run(step, **options)
    assert "failed" == run.status
    assert [] == tool.calls
    (fact,) = [fact for fact in await stage.facts(run.run_id) if fact["fact"] == "step_failed"]
    assert run.error is not None
    assert fact["reason"] == msgspec.json.decode(run.error)["code"]
    assert await stage.is_replayed(run.run_id)
    return fact


# --- 1 resolve ------------------------------------------------------------------------------------------------


async def test_resolve_refuses_unknown_version(database: ScratchDatabase) -> None:
    """
    A definition that names a version that this kernel does not have is refused, not run with another one.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        step = msgspec.structs.replace(stage.step("t.read"), tool_version="2.0.0")

        fact = await refused(stage, tool, step=step)

    assert "TOOL_UNKNOWN" == fact["reason"]


async def test_resolve_refuses_changed_contract(database: ScratchDatabase) -> None:
    """
    A tool whose contract is not the one that the definition was compiled with is refused.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        fact = await refused(stage, tool, step=stage.step("t.read", digest="0" * 64))

    assert "TOOL_UNKNOWN" == fact["reason"]


# --- 2 contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"amount": 0}, {"amount": "1"}, {"amount": 1, "extra": True}], ids=str)
async def test_contract_refuses_arguments(database: ScratchDatabase, arguments: dict[str, Any]) -> None:
    """
    Arguments that the contract rejects never reach the tool; the refusal says where they differ.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.pay", delivery="keyed"), input_schema=STRICT))
    async with Stage(database, tool) as stage:
        fact = await refused(stage, tool, step=stage.step("t.pay", input=arguments))

    assert "SCHEMA_INVALID" == fact["reason"]
    assert fact["evidence"]["mismatches"]


# --- 3 permission ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (Scope(tool="t.other"), "PERMISSION_DENIED"),
        (Scope(tool="t.*", principals=("somebody",)), "PERMISSION_DENIED"),
        (Scope(tool="t.*", operations=("refund",)), "PERMISSION_DENIED"),
        (Scope(tool="t.*", data_cap_bytes=10), "DATA_CAP_EXCEEDED"),
    ],
    ids=["tool", "principal", "operation", "data-cap"],
)
async def test_permission_refuses_beyond_scope(database: ScratchDatabase, scope: Scope, reason: str) -> None:
    """
    Deny is the default: what no scope covers in whole is not called.
    """
    tool = ScriptedTool(contract("t.pay", delivery="opaque"))
    async with Stage(database, tool) as stage:
        await stage.apply(scopes=(scope,))

        fact = await refused(stage, tool, step=stage.step("t.pay", input={"note": "longer than the cap"}))

    assert reason == fact["reason"]


async def test_permission_refuses_network_beyond_scope(database: ScratchDatabase) -> None:
    """
    A tool that connects to a host that no scope names is refused.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.read"), network=("evil.example.com",)))
    async with Stage(database, tool) as stage:
        await stage.apply(scopes=(Scope(tool="t.*", network=("*.example.org",)),))

        fact = await refused(stage, tool)

    assert "PERMISSION_DENIED" == fact["reason"]


async def test_kill_switch_stops_calls_and_lets_go(database: ScratchDatabase) -> None:
    """
    While a tenant is paused nothing is called; when the pause is lifted, new runs go on as before.
    """
    tool = ScriptedTool(contract("t.pay", delivery="keyed"))
    async with Stage(database, tool) as stage:
        await stage.kernel.store.directory.pause_tenant(TENANT, paused=True)
        stage.kernel.catalogue.forget(TENANT)

        fact = await refused(stage, tool)
        await stage.kernel.store.directory.pause_tenant(TENANT, paused=False)
        stage.kernel.catalogue.forget(TENANT)
        after = await stage.run(stage.step("t.pay"))

    assert "PERMISSION_DENIED" == fact["reason"]
    assert "completed" == after.status


async def test_kill_switch_holds_between_intent_and_call(database: ScratchDatabase) -> None:
    """
    A pause that comes when the intent is on record still prevents the call; a person says that nothing happened.
    """
    tool = ScriptedTool(contract("t.pay", delivery="keyed"))

    async def pause() -> None:
        await stage.execute("update remit.tenants set paused = true")
        stage.kernel.catalogue.forget(TENANT)

    async with Stage(database, tool, observer=After("append", pause)) as stage:
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, "settlement of pay")
        calls_while_paused = len(tool.calls)
        await stage.kernel.store.directory.pause_tenant(TENANT, paused=False)
        stage.kernel.catalogue.forget(TENANT)
        await stage.kernel.runs.settle(TENANT, run_id, Settlement(step="pay", outcome="absent", decided_by=OPERATOR))
        run = await stage.end(run_id)

    assert 0 == calls_while_paused
    assert "completed" == run.status
    assert 1 == len(tool.effects)


# --- 4 look-up: see test_keys.py ------------------------------------------------------------------------------

# --- 5 bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds",
    [
        msgspec.structs.replace(WIDE, tool_calls_max=2),
        msgspec.structs.replace(WIDE, steps_max=2),
        msgspec.structs.replace(WIDE, tool_calls_max_by_tool={"t.read": 2}),
        msgspec.structs.replace(WIDE, cost_usd_micros_max=25),
    ],
    ids=["calls", "steps", "calls-of-tool", "cost"],
)
async def test_bounds_refuse_the_call_past_the_limit(database: ScratchDatabase, bounds: Bounds) -> None:
    """
    The calls up to a limit are made, the one past it is refused, and nothing after it starts.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.read"), cost_usd_micros=10))
    async with Stage(database, tool) as stage:
        steps = [stage.step("t.read", *([f"s{n - 1}"] if n else []), step_id=f"s{n}") for n in range(4)]

        run = await stage.run(*steps, bounds=bounds)
        rows = await stage.rows(run.run_id)

    assert "failed" == run.status
    assert 2 == len(tool.calls)
    assert [("s0", "completed", None), ("s1", "completed", None), ("s2", "failed", "BOUND_EXCEEDED")] == rows


async def test_bounds_of_the_tenant_hold_too(database: ScratchDatabase) -> None:
    """
    The tighter of the definition's and the remit's bounds counts.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        await stage.apply(bounds=msgspec.structs.replace(WIDE, tool_calls_max=1))

        run = await stage.run(stage.step("t.read", step_id="a"), stage.step("t.read", "a", step_id="b"))

    assert "failed" == run.status
    assert 1 == len(tool.calls)


async def test_bounds_of_parallel_calls_let_exactly_the_limit_pass(database: ScratchDatabase) -> None:
    """
    Of many calls at once exactly as many as allowed are made: they are numbered when they begin.
    """
    tool = ScriptedTool(contract("t.pay", delivery="keyed"))
    async with Stage(database, tool) as stage:
        steps = [stage.step("t.pay", step_id=f"s{n}", input={"n": n}, on_failure="continue") for n in range(8)]

        run = await stage.run(*steps, bounds=msgspec.structs.replace(WIDE, tool_calls_max=5))
        rows = await stage.rows(run.run_id)

    assert 5 == len(tool.effects)
    assert ["BOUND_EXCEEDED"] * 3 == reasons(rows)


# --- 6 loop ---------------------------------------------------------------------------------------------------


async def test_loop_refuses_repeated_calls(database: ScratchDatabase) -> None:
    """
    The same call over and over is stopped with evidence; other arguments are another call.
    """
    tool = ScriptedTool(contract("t.read"))
    bounds = msgspec.structs.replace(WIDE, loop_repeats_max=2)
    async with Stage(database, tool) as stage:
        same = [stage.step("t.read", *([f"s{n - 1}"] if n else []), step_id=f"s{n}") for n in range(4)]
        other = [msgspec.structs.replace(step, input={"n": n}) for n, step in enumerate(same)]

        looped = await stage.run(*same, bounds=bounds)
        straight = await stage.run(*other, bounds=bounds)
        (fact,) = [fact for fact in await stage.facts(looped.run_id) if fact["fact"] == "step_failed"]

    assert "LOOP_DETECTED" == fact["reason"]
    assert 3 == fact["evidence"]["repeats"]
    assert "completed" == straight.status


async def test_retries_are_no_loop(database: ScratchDatabase) -> None:
    """
    Attempts of one step do not count as repeated calls.
    """
    tool = ScriptedTool(contract("t.read"), *[refusal("BUSY", retryable=True)] * 4, Turn())
    retry = msgspec.structs.replace(QUICK, attempts_max=5)
    async with Stage(database, tool) as stage:
        run = await stage.run(
            stage.step("t.read", retry=retry), bounds=msgspec.structs.replace(WIDE, loop_repeats_max=1)
        )

    assert "completed" == run.status
    assert 5 == len(tool.calls)


# --- 7 approval: see test_approvals.py ------------------------------------------------------------------------

# --- 8 breaker and rate ---------------------------------------------------------------------------------------


async def test_breaker_leaves_a_failing_dependency_alone(database: ScratchDatabase) -> None:
    """
    After so many failures the dependency is not called any more, by any tool, until it is open no longer.
    """
    failing = msgspec.structs.replace(contract("t.flaky"), dependency="bank")
    other = msgspec.structs.replace(contract("t.other"), dependency="bank")
    flaky, tool = ScriptedTool(failing, refusal("DOWN", retryable=True)), ScriptedTool(other)
    async with Stage(database, flaky, tool) as stage:
        await stage.apply(breakers={"bank": BreakerConfig(failure_threshold=2, open_seconds=60)})
        retry = msgspec.structs.replace(QUICK, attempts_max=2)
        await stage.run(stage.step("t.flaky", retry=retry))

        run = await stage.run(stage.step("t.other"))
        rows = await stage.rows(run.run_id)

    assert 2 == len(flaky.calls)
    assert [] == tool.calls
    assert [("other", "failed", "DEPENDENCY_UNAVAILABLE")] == rows


async def test_breaker_is_seen_by_other_kernels(database: ScratchDatabase) -> None:
    """
    A breaker that one process opened holds in another one.
    """
    bank = msgspec.structs.replace(contract("t.pay"), dependency="bank")
    breakers = {"bank": BreakerConfig(failure_threshold=1, open_seconds=60)}
    async with Stage(database, ScriptedTool(bank, refusal("DOWN", retryable=True))) as stage:
        await stage.apply(breakers=breakers)
        await stage.run(stage.step("t.pay"))
    tool = ScriptedTool(bank)
    async with Stage(database, tool) as later:
        await later.apply(breakers=breakers)
        run = await later.run(later.step("t.pay"))

    assert "failed" == run.status
    assert [] == tool.calls


async def test_refusals_of_content_open_no_breaker(database: ScratchDatabase) -> None:
    """
    A declined card is no failure of the bank.
    """
    bank = msgspec.structs.replace(contract("t.pay"), dependency="bank")
    tool = ScriptedTool(bank, refusal("DECLINED"))
    async with Stage(database, tool) as stage:
        await stage.apply(breakers={"bank": BreakerConfig(failure_threshold=1, open_seconds=60)})
        for _ in range(3):
            await stage.run(stage.step("t.pay"))

    assert 3 == len(tool.calls)


async def test_rate_gives_a_long_wait_back(database: ScratchDatabase) -> None:
    """
    When the allowance of a minute is used up the attempt is given back as retryable, and nothing was called.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.read"), rate_limit_rpm=4))
    async with Stage(database, tool) as stage:
        first = await stage.run(stage.step("t.read"))
        second = await stage.run(stage.step("t.read"))
        rows = await stage.rows(second.run_id)

    assert "completed" == first.status
    assert [("read", "failed", "RATE_LIMITED")] == rows
    assert 1 == len(tool.calls)


# --- 9 intend -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delivery", ["keyed", "queryable", "opaque"])
async def test_intent_is_durable_before_the_call(database: ScratchDatabase, delivery: Any) -> None:
    """
    When the tool is called its key and arguments are on record already.
    """
    gate = asyncio.Event()
    tool = ScriptedTool(contract("t.pay", delivery=delivery), Turn(until=gate))
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.pay", input={"amount": 7}))
        await tool.wait_for_calls(1)
        facts = await stage.facts(run_id)
        gate.set()
        await stage.end(run_id)

    assert "intent_recorded" == facts[-1]["fact"]
    assert tool.calls[0].context.external_key == facts[-1]["external_key"]
    assert tool.calls[0].context.idempotency_key == facts[-1]["idempotency_key"]


async def test_pure_call_needs_no_intent(database: ScratchDatabase) -> None:
    """
    A call without effect is made at once, and leaves no receipt.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.read"))
        kinds, receipts = await stage.kinds(run.run_id), await stage.receipts(run.run_id)

    assert "intent_recorded" not in kinds
    assert [] == receipts


# --- 10 act ---------------------------------------------------------------------------------------------------


async def test_call_gets_its_own_credentials_only(database: ScratchDatabase) -> None:
    """
    A tool gets the secret that its contract names and its tenant configured, and no other.
    """
    paying = msgspec.structs.replace(contract("t.pay", delivery="keyed"), credential="bank", endpoint="bank")
    tool, reader = ScriptedTool(paying), ScriptedTool(contract("t.read"))
    async with Stage(database, tool, reader) as stage:
        await stage.apply(credentials={"bank": "bank_key"}, endpoints={"bank": "http://127.0.0.1:1/bank"})
        run = await stage.run(stage.step("t.pay"), stage.step("t.read", "pay"))
        journal = str(await stage.facts(run.run_id))

    assert "completed" == run.status
    assert {"bank": "s3cret-of-the-bank"} == dict(tool.calls[0].context.credentials)
    assert "http://127.0.0.1:1/bank" == tool.calls[0].context.endpoint
    assert {} == dict(reader.calls[0].context.credentials)
    assert "s3cret" not in journal


async def test_missing_credential_calls_nothing(database: ScratchDatabase) -> None:
    """
    Without the secret there is no call, and the step fails with a name, not a value.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.pay", delivery="keyed"), credential="other_bank"))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.pay"))
        rows = await stage.rows(run.run_id)

    assert [] == tool.calls
    assert ["CREDENTIAL_MISSING"] == reasons(rows)


async def test_secret_in_an_error_is_not_recorded(database: ScratchDatabase) -> None:
    """
    What a tool says about its failure is recorded without the secrets that it quotes.
    """
    paying = msgspec.structs.replace(contract("t.pay", delivery="keyed"), credential="bank_key")
    turn = Turn(error=ToolError("key s3cret-of-the-bank is wrong", reason="DENIED"), is_done=False)
    async with Stage(database, ScriptedTool(paying, turn)) as stage:
        run = await stage.run(stage.step("t.pay"))
        journal = str(await stage.facts(run.run_id))

    assert "DENIED" in journal
    assert "s3cret" not in journal


async def test_late_answer_ends_the_call(database: ScratchDatabase) -> None:
    """
    A call without effect that takes longer than its timeout fails as such.
    """
    tool = ScriptedTool(contract("t.read"), Turn(until=asyncio.Event()))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.read", timeout_ms=20))
        rows = await stage.rows(run.run_id)

    assert ["TIMED_OUT"] == reasons(rows)


# --- 11 result ------------------------------------------------------------------------------------------------


async def test_result_of_a_read_is_held_to_its_contract(database: ScratchDatabase) -> None:
    """
    A result that the contract rejects fails the step; nothing follows from it.
    """
    tool = ScriptedTool(msgspec.structs.replace(contract("t.read"), output_schema=STRICT), Turn(output={"amount": "x"}))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.read"))
        rows = await stage.rows(run.run_id)

    assert ["RESULT_INVALID"] == reasons(rows)


async def test_invalid_result_of_an_effect_is_parked(database: ScratchDatabase) -> None:
    """
    The effect did happen, so the step is parked for a person, and not tried again.
    """
    paying = msgspec.structs.replace(contract("t.pay", delivery="keyed"), output_schema=STRICT)
    tool = ScriptedTool(paying, Turn(output={"amount": "x"}))
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.pay", retry=QUICK))
        await stage.wait_for(run_id, "settlement of pay")
        rows = await stage.rows(run_id)

    assert [("pay", "unknown", "RESULT_INVALID")] == rows
    assert 1 == len(tool.calls)


# --- 12 receipt -----------------------------------------------------------------------------------------------


async def test_receipt_says_what_was_done(database: ScratchDatabase) -> None:
    """
    A completed effect leaves one receipt with its key, reference, amount and digests, in the outcome's own entry.
    """
    paying = msgspec.structs.replace(
        contract("t.pay", delivery="keyed"),
        side_effect_level=SideEffectLevel.FINANCIAL,
        amount_path="amount",
        currency_path="currency",
    )
    tool = ScriptedTool(paying)
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", condition="false")
        run = await stage.run(stage.step("t.pay", input={"amount": 995, "currency": "eur"}))
        (receipt,) = await stage.receipts(run.run_id)

    assert ("t.pay", "FINANCIAL", "keyed") == (receipt.tool, receipt.side_effect_level, receipt.delivery_class)
    assert (995, "EUR") == (receipt.amount_minor, receipt.currency)
    assert tool.effects[0][0] == receipt.external_key
    assert tool.calls[0].context.reference == receipt.external_reference
    assert f"{TENANT}:{run.run_id}:pay:1" == receipt.idempotency_key
