"""The hash chain: what it proves, and what it says when something was changed."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest

from remit.core.chain import (
    ChainEntry,
    ChainReport,
    EntryHeader,
    Part,
    commitment,
    entry_hash,
    genesis_hash,
    verify_chain,
    verify_entry,
)

GENESIS = genesis_hash("acme", "run-1", "d" * 64)
SALT = b"s" * 16


def header(sequence: int = 1, **changes: object) -> EntryHeader:
    fields = {
        "format_version": 1,
        "tenant_id": "acme",
        "run_id": "run-1",
        "sequence": sequence,
        "epoch": 1,
        "at_us": 1_700_000_000_000_000 + sequence,
        "fact_count": 1,
        "kinds": "run_started",
    }
    return EntryHeader(**{**fields, **changes})


def chain(length: int) -> list[ChainEntry]:
    entries: list[ChainEntry] = []
    previous = GENESIS
    for sequence in range(1, length + 1):
        payload = b'{"n":%d}' % sequence
        committed = commitment(SALT, payload)
        previous = entry_hash(previous, header(sequence), committed)
        entries.append(
            ChainEntry(header=header(sequence), commitment=committed, hash=previous, payload=payload, salt=SALT)
        )
    return entries


def verify(entries: list[ChainEntry]) -> ChainReport:
    return verify_chain(entries, genesis=GENESIS)


def altered(entries: list[ChainEntry], index: int, **changes: object) -> list[ChainEntry]:
    return [msgspec.structs.replace(e, **changes) if i == index else e for i, e in enumerate(entries)]


def test_whole_chain_is_intact() -> None:
    """
    Every entry of an untouched journal agrees, and the report ends at its last hash.
    """
    entries = chain(5)

    report = verify(entries)

    assert ChainReport(head=entries[-1].hash, verified_count=5, erased_count=0) == report
    assert report.is_intact


def test_empty_chain_ends_at_genesis() -> None:
    """
    A run without entries is intact and its head is its genesis.
    """
    assert ChainReport(head=GENESIS, verified_count=0, erased_count=0) == verify([])


def test_erased_payload_leaves_chain_intact() -> None:
    """
    Payload and salt may be erased; what remains still verifies, and the report counts it.
    """
    erased = altered(chain(3), 1, payload=None, salt=None)

    report = verify(erased)

    assert report.is_intact
    assert (3, 1) == (report.verified_count, report.erased_count)


@pytest.mark.parametrize(
    ("changes", "part", "words"),
    [
        ({"payload": b"{}"}, Part.PAYLOAD, "payload or salt was changed"),
        ({"salt": b"t" * 16}, Part.PAYLOAD, "payload or salt was changed"),
        ({"salt": None}, Part.PAYLOAD, "salt is not"),
        ({"commitment": b"c" * 32}, Part.HASH, "was changed"),
        ({"commitment": b"c"}, Part.HASH, "1 bytes instead of 32"),
        ({"hash": b"h" * 32}, Part.HASH, "was changed"),
        ({"hash": b""}, Part.HASH, "was changed"),
    ],
    ids=["payload", "salt", "no salt", "commitment", "short commitment", "hash", "no hash"],
)
def test_changed_entry_is_named(changes: dict[str, object], part: Part, words: str) -> None:
    """
    The report names the first entry that disagrees, the part of it, and the last hash to be trusted.
    """
    entries = chain(5)

    report = verify(altered(entries, 2, **changes))

    assert report.verdict is not None
    assert (3, part, 2, entries[1].hash) == (
        report.bad_sequence, report.verdict.part, report.verified_count, report.head
    )  # fmt: skip
    assert words in report.verdict.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"format_version": 2},
        {"epoch": 2},
        {"at_us": 0},
        {"fact_count": 2},
        {"kinds": "run_failed"},
        {"kinds": ""},
    ],
    ids=str,
)
def test_changed_header_is_named(changes: dict[str, object]) -> None:
    """
    No field of a header can be changed, also not that of an erased entry.
    """
    entries = altered(chain(3), 1, header=header(2, **changes), payload=None, salt=None)

    report = verify(entries)

    assert report.verdict is not None
    assert (2, Part.HASH) == (report.bad_sequence, report.verdict.part)


@pytest.mark.parametrize(
    ("order", "bad_sequence", "words"),
    [
        ((0, 2, 3), 2, "entry 2 is missing; 3 comes next"),
        ((1, 2, 3), 1, "entry 1 is missing; 2 comes next"),
        ((0, 1, 1, 2), 2, "entry 2 comes where 3 belongs"),
        ((0, 2, 1, 3), 2, "entry 2 is missing"),
    ],
    ids=["gap", "no beginning", "doubled", "swapped"],
)
def test_missing_or_moved_entry_is_named(order: tuple[int, ...], bad_sequence: int, words: str) -> None:
    """
    Entries cannot be left out, doubled or moved.
    """
    entries = chain(4)

    report = verify([entries[index] for index in order])

    assert report.verdict is not None
    assert (bad_sequence, Part.SEQUENCE) == (report.bad_sequence, report.verdict.part)
    assert words in report.verdict.reason


def test_entry_of_another_run_is_named() -> None:
    """
    An entry of another run or tenant does not pass, even where its sequence fits.
    """
    for changes in ({"run_id": "run-2"}, {"tenant_id": "other"}):
        entries = altered(chain(2), 1, header=header(2, **changes))

        report = verify(entries)

        assert report.verdict is not None
        assert (2, Part.SEQUENCE, "entry belongs to another run") == (
            report.bad_sequence, report.verdict.part, report.verdict.reason
        )  # fmt: skip


def test_chain_under_another_genesis_is_refused() -> None:
    """
    A whole journal cannot be passed off as that of another definition.
    """
    other = genesis_hash("acme", "run-1", "e" * 64)

    report = verify_chain(chain(2), genesis=other)

    assert report.verdict is not None
    assert (1, Part.HASH, 0) == (report.bad_sequence, report.verdict.part, report.verified_count)


def test_verification_continues_from_trusted_hash() -> None:
    """
    The end of a long journal can be verified from a hash that is trusted already.
    """
    entries = chain(6)

    report = verify_chain(entries[3:], genesis=entries[2].hash, first_sequence=4)

    assert (True, 3, entries[-1].hash) == (report.is_intact, report.verified_count, report.head)


def test_single_entry_is_verified_against_previous_hash() -> None:
    """
    `verify_entry` agrees with an entry in its place and names what is wrong elsewhere.
    """
    first, second = chain(2)

    assert verify_entry(second, previous=first.hash) is None
    verdict = verify_entry(second, previous=GENESIS)
    assert verdict is not None
    assert Part.HASH == verdict.part


def test_hash_is_as_documented() -> None:
    """
    Anyone can compute the hash of an entry from the description alone.
    """
    numbers = b"".join(n.to_bytes(8, "big") for n in (1, 1, 1, 1_700_000_000_000_001, 1))
    lengths = b"".join(n.to_bytes(4, "big") for n in (4, 5, 11))
    committed = hmac.digest(SALT, b"payload", "sha256")
    content = b"remit.journal.entry.1\0" + GENESIS + committed + numbers + lengths + b"acmerun-1run_started"

    assert committed == commitment(SALT, b"payload")
    assert hashlib.sha256(content).digest() == entry_hash(GENESIS, header(), committed)


def test_texts_of_header_cannot_flow_into_each_other() -> None:
    """
    Moving a character from one text of a header to the next changes the hash.
    """
    committed = commitment(SALT, b"")
    hashes = {
        entry_hash(GENESIS, header(tenant_id=tenant, run_id=run, kinds=kinds), committed)
        for tenant, run, kinds in [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("abc", "", "d")]
    }
    starts = {genesis_hash("a", "bc", "d"), genesis_hash("ab", "c", "d"), genesis_hash("a", "b", "cd")}

    assert (4, 3) == (len(hashes), len(starts))
