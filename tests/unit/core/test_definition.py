"""A definition is what its bytes say, and its digest names exactly those bytes."""

import msgspec
import pytest

from remit.core.definition import (
    DEFINITION_BYTES_MAX,
    Bounds,
    Definition,
    EventStep,
    RetryPolicy,
    SignalStep,
    TimerStep,
    Trigger,
    decode_definition,
    definition_digest,
    encode_definition,
)
from remit.errors import DefinitionInvalidError
from remit.testing.definitions import define, tool_step

EVERY_KIND = Definition(
    name="every-kind",
    version="1.2.0",
    description="One step of each kind.",
    input_schema={"type": "object"},
    bounds=Bounds(tool_calls_max_by_tool={"pay": 2}),
    steps=(
        tool_step("a", arguments={"x": ["${{ input.x }}", 1.5]}, retry=RetryPolicy(attempts_max=3, multiplier=1.5)),
        TimerStep(id="t", depends_on=("a",), duration_ms=1_000, condition="input.slow"),
        SignalStep(id="s", signal="go", timeout_ms=5, on_timeout="continue"),
        EventStep(id="e", event="shop.paid", correlation="${{ input.x }}", match="event.ok", on_failure="continue"),
    ),
    output={"x": "${{ steps.a.output }}"},
    triggers=(Trigger(event="shop.created", input={"x": "${{ event.id }}"}, key="${{ event.id }}"),),
)


def test_definition_reads_back_as_written() -> None:
    """
    Decoding the stored bytes gives an equal definition, and encoding that gives the same bytes.
    """
    data = encode_definition(EVERY_KIND)

    assert EVERY_KIND == decode_definition(data)
    assert data == encode_definition(decode_definition(data))


def test_defaults_are_filled_in() -> None:
    """
    A default that changes in a later version does not change what was stored before.
    """
    stored = msgspec.json.decode(encode_definition(define(tool_step("a"))))

    assert 1 == stored["steps"][0]["retry"]["attempts_max"]
    assert "fail" == stored["steps"][0]["on_failure"]
    assert 100 == stored["bounds"]["tool_calls_max"]


def test_digest_of_known_kinds_is_the_recorded_one() -> None:
    """
    What the model learnt since adds nothing to definitions that do not use it: their digests are for good.
    """
    recorded = "27cfdb060774e6fd511900dd5403b28c93a67877b790db3ba4d220618cd06615"

    assert recorded == definition_digest(encode_definition(EVERY_KIND))


def test_digest_names_the_bytes() -> None:
    """
    Equal definitions have one digest, others have another; it is that of the stored bytes.
    """
    digest = definition_digest(encode_definition(EVERY_KIND))
    renamed = msgspec.structs.replace(EVERY_KIND, version="1.2.1")

    assert digest == definition_digest(encode_definition(decode_definition(encode_definition(EVERY_KIND))))
    assert digest != definition_digest(encode_definition(renamed))
    assert 64 == len(digest)


def test_oversized_definition_is_refused() -> None:
    """
    A definition over the limit is refused, with both sizes.
    """
    with pytest.raises(DefinitionInvalidError, match=f"at most {DEFINITION_BYTES_MAX} bytes") as caught:
        encode_definition(msgspec.structs.replace(EVERY_KIND, description="x" * DEFINITION_BYTES_MAX))

    assert caught.value.fields["bytes"] > DEFINITION_BYTES_MAX


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"name":"x","version":"1"}',
        b'{"name":"x","version":"1","steps":[{"kind":"loop","id":"a"}]}',
        b'{"name":"x","version":"1","steps":[],"surprise":1}',
        b'{"name":"x","version":"1","steps":[{"kind":"timer","id":"a","duration_ms":"1"}]}',
        b'{"name":"x","version":"1","steps":[{"kind":"timer","id":"a","duration_ms":1,"signal":"go"}]}',
    ],
)
def test_bytes_that_are_no_definition_are_refused(data: bytes) -> None:
    """
    Damaged or foreign bytes are one kind of error, whatever is wrong with them.
    """
    with pytest.raises(DefinitionInvalidError):
        decode_definition(data)


def test_newer_schema_version_is_refused() -> None:
    """
    A definition of a schema that this kernel does not know is not guessed at.
    """
    data = encode_definition(msgspec.structs.replace(EVERY_KIND, schema_version=2))

    with pytest.raises(DefinitionInvalidError, match="schema version 1, got 2"):
        decode_definition(data)


def test_tightened_bounds_satisfy_both() -> None:
    """
    The tighter of each limit counts; a tool that only one side limits is limited.
    """
    ours = Bounds(steps_max=5, tokens_max=9, cost_usd_micros_max=3, tool_calls_max_by_tool={"pay": 2, "mail": 1})
    theirs = Bounds(steps_max=7, tokens_max=1, active_seconds_max=2, tool_calls_max_by_tool={"pay": 1, "ship": 4})

    both = ours.tightened(theirs)

    assert both == theirs.tightened(ours)
    assert (5, 1, 3, 2) == (both.steps_max, both.tokens_max, both.cost_usd_micros_max, both.active_seconds_max)
    assert {"pay": 1, "mail": 1, "ship": 4} == both.tool_calls_max_by_tool


def test_tightening_changes_neither_side() -> None:
    """
    Bounds are values: tightening makes new ones.
    """
    ours, theirs = Bounds(tool_calls_max_by_tool={"pay": 2}), Bounds(tool_calls_max_by_tool={"pay": 1})

    ours.tightened(theirs)

    assert {"pay": 2} == ours.tool_calls_max_by_tool
