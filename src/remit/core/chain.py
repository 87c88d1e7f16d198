"""The journal's hash chain: every entry vouches for all entries before it.

Owns: how an entry is committed to, hashed and verified.
Does not know: where entries are stored, or what their payloads mean.

    commitment = HMAC-SHA256(salt, payload)
    hash       = SHA-256(tag ‖ previous hash ‖ commitment ‖ integers of the header ‖ lengths of its texts ‖ its texts)

The header holds no personal data. The payload may, so the hash covers only its commitment: once payload and salt are
deleted, nothing about the payload can be guessed from what remains, and the chain still verifies.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

HASH_BYTES: Final = 32
SALT_BYTES_MIN: Final = 16
"""Shorter salts could be searched together with a guessed payload."""

_GENESIS_TAG: Final = b"remit.journal.genesis.1\0"
_ENTRY_TAG: Final = b"remit.journal.entry.1\0"
_LENGTH: Final = struct.Struct(">I")
_NUMBERS: Final = struct.Struct(">qqqqqIII")  # five integers of the header, then the lengths of its three texts


class EntryHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says in the open: never personal data, never erased."""

    format_version: int
    """Version of the journal's format."""
    tenant_id: str
    run_id: str
    sequence: int
    """Position in the run, from 1 without gaps."""
    epoch: int
    """The claim under which the entry was written."""
    at_us: int
    """Instant, in microseconds since the epoch of Unix."""
    fact_count: int
    """How many facts the payload holds; at least 1."""
    kinds: str
    """Kinds of those facts in order, separated by commas."""


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a run's journal as it is stored."""

    header: EntryHeader
    commitment: bytes
    hash: bytes
    payload: bytes | None
    """None when it was erased."""
    salt: bytes | None = None
    """Erased together with the payload."""


class Part(StrEnum):
    """Which part of an entry disagrees with the others."""

    PAYLOAD = "payload"
    """The payload is not what was committed to."""
    HASH = "hash"
    """Header, commitment, hash and the hash before it do not belong together."""
    SEQUENCE = "sequence"
    """An entry is missing, doubled or out of order, or belongs to another run."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one entry: which part, and in words."""

    part: Part
    reason: str


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a chain found."""

    head: bytes
    """Hash of the last good entry, or of the genesis."""
    verified_count: int
    """Entries that agree, counted from the first."""
    erased_count: int
    """Those among them whose payload was erased: the chain is whole, the content is gone."""
    bad_sequence: int | None = None
    """Sequence of the first entry that disagrees; for a gap, the sequence that is missing. None: all agree."""
    verdict: Verdict | None = None
    """What is wrong with it."""

    @property
    def is_intact(self) -> bool:
        return self.verdict is None


def genesis_hash(tenant_id: str, run_id: str, definition_digest: str) -> bytes:
    """Return the hash that a run's first entry follows: it binds the chain to tenant, run and definition."""
    return sha256(_GENESIS_TAG + _texts(tenant_id, run_id, definition_digest)).digest()


def commitment(salt: bytes, payload: bytes) -> bytes:
    """Return the HMAC-SHA256 of a payload under the entry's salt.

    Args:
        salt: Drawn at random for this entry, at least `SALT_BYTES_MIN` bytes.
        payload: The entry's facts as they are stored.
    """
    assert len(salt) >= SALT_BYTES_MIN
    return hmac.digest(salt, payload, "sha256")


def entry_hash(previous: bytes, header: EntryHeader, commitment: bytes) -> bytes:
    """Return the hash of an entry.

    Args:
        previous: Hash of the entry before it, or `genesis_hash` for the first.
        header: The entry's header; its integers fit 64 bits.
        commitment: What `commitment` gave for its payload.
    """
    assert len(previous) == HASH_BYTES
    assert len(commitment) == HASH_BYTES
    tenant_id = header.tenant_id.encode()
    run_id = header.run_id.encode()
    kinds = header.kinds.encode()
    numbers = _NUMBERS.pack(
        header.format_version,
        header.sequence,
        header.epoch,
        header.at_us,
        header.fact_count,
        len(tenant_id),
        len(run_id),
        len(kinds),
    )
    return sha256(b"".join((_ENTRY_TAG, previous, commitment, numbers, tenant_id, run_id, kinds))).digest()


def verify_entry(entry: ChainEntry, *, previous: bytes) -> Verdict | None:
    """Check one entry against the hash before it.

    Returns:
        None if all parts agree. A missing payload agrees with anything: it was erased.
    """
    if len(entry.commitment) != HASH_BYTES:
        return Verdict(part=Part.HASH, reason=f"commitment has {len(entry.commitment)} bytes instead of {HASH_BYTES}")
    if entry_hash(previous, entry.header, entry.commitment) != entry.hash:
        return Verdict(part=Part.HASH, reason="header, commitment or the entry before it was changed")
    if entry.payload is None:
        return None
    if entry.salt is None:
        return Verdict(part=Part.PAYLOAD, reason="payload is there but its salt is not")
    if commitment(entry.salt, entry.payload) != entry.commitment:
        return Verdict(part=Part.PAYLOAD, reason="payload or salt was changed")
    return None


def verify_chain(entries: Iterable[ChainEntry], *, genesis: bytes, first_sequence: int = 1) -> ChainReport:
    """Verify the entries of one run in order, up to the first that disagrees.

    Args:
        entries: Entries in the order of their sequence; read once, so a stream will do.
        genesis: `genesis_hash` of the run, or the trusted hash before ``first_sequence``.
        first_sequence: Sequence that the first entry must have.

    Returns:
        A report. An intact chain proves that nothing was changed inside it; that nothing was cut off at its end is
        proven by comparing ``head`` with the head that is stored elsewhere.
    """
    head = genesis
    expected = first_sequence
    erased_count = 0
    run: tuple[str, str] | None = None
    for entry in entries:
        run = run or _run_of(entry)
        bad_sequence, verdict = _check_place(entry, expected=expected, run=run)
        if verdict is None:
            bad_sequence, verdict = expected, verify_entry(entry, previous=head)
        if verdict is not None:
            return ChainReport(
                head=head,
                verified_count=expected - first_sequence,
                erased_count=erased_count,
                bad_sequence=bad_sequence,
                verdict=verdict,
            )
        head = entry.hash
        expected += 1
        erased_count += entry.payload is None
    return ChainReport(head=head, verified_count=expected - first_sequence, erased_count=erased_count)


def _run_of(entry: ChainEntry) -> tuple[str, str]:
    return entry.header.tenant_id, entry.header.run_id


def _check_place(entry: ChainEntry, *, expected: int, run: tuple[str, str]) -> tuple[int, Verdict | None]:
    sequence = entry.header.sequence
    if sequence > expected:
        return expected, Verdict(part=Part.SEQUENCE, reason=f"entry {expected} is missing; {sequence} comes next")
    if sequence < expected:
        return sequence, Verdict(part=Part.SEQUENCE, reason=f"entry {sequence} comes where {expected} belongs")
    if _run_of(entry) != run:
        return sequence, Verdict(part=Part.SEQUENCE, reason="entry belongs to another run")
    return expected, None


def _texts(*texts: str) -> bytes:
    encoded = [text.encode() for text in texts]
    return b"".join(part for data in encoded for part in (_LENGTH.pack(len(data)), data))
