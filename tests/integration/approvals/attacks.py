"""Attacks on a request that waits, by family: forged, replayed, altered, disguised, injected. None may be accepted.

Owns: generating the cases. Does not know: what is refused how; an attack only says what it returns when it is not.
"""

from __future__ import annotations

import string
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from remit.bootstrap import APPROVER, OPERATOR
from remit.errors import RemitError
from remit.governance.approvals import approval_digest
from remit.ids import ApprovalId, PrincipalId
from remit.ports.store import InboundEvent
from tests.integration.approvals.target import INJECTED, OTHER, PEOPLE, Target, other_id
from tests.integration.runtime.stage import TENANT

Word = Literal["approve", "deny"]
WORDS: Final[tuple[Word, Word]] = ("approve", "deny")


@dataclass(frozen=True)
class Attack:
    """One case; ``act`` raises one of our errors, or returns the status of a refusal, when it is refused."""

    name: str
    act: Callable[[], Awaitable[object]]


def every(target: Target) -> Iterator[Attack]:
    """Return all attacks on a request that is open."""
    for family in (
        forged_ids,
        altered_digests,
        altered_subjects,
        wrong_people,
        other_tenant,
        requests,
        bodies,
        keys,
        injections,
    ):
        yield from family(target)


def forged_ids(target: Target) -> Iterator[Attack]:
    """Ids that are not the request's, however near."""
    known = target.approval.approval_id
    near = [other_id(known, place) for place, digit in enumerate(known) if digit in string.hexdigits]
    shaped = [
        known.upper(), known[:8], known[:35], known + "0", f" {known}", f"{known} ", f"{known}\n", f"{known}\x00", "",
        known.replace("-", ""), f"{{{known}}}", f"urn:uuid:{known}", f"{known}/../{known}", "%", "*", f"{known}%",
        "a" * 5_000,
        f"{known}' or '1'='1", f"{known}\u200b", known.replace("-", "\u2010"), known.translate(_FULLWIDTH), "\ud800",
    ]  # fmt: skip
    for name in (*near, *shaped):
        yield Attack(f"id {name[:60]!r}", lambda name=name: target.decide(approval_id=ApprovalId(name)))  # type: ignore[misc]


def altered_digests(target: Target) -> Iterator[Attack]:
    """Digests that are not the request's."""
    known = target.approval.digest
    near = [other_id(known, place) for place in range(len(known))]
    shaped = [known.upper(), known[:63], known + "0", "", f"{known}\x00", f" {known}", known[::-1], "0" * 64, "%"]
    for digest in (*near, *shaped):
        for word in WORDS if digest in shaped else WORDS[:1]:
            yield Attack(
                f"{word} digest {digest[:70]!r}",
                lambda digest=digest, word=word: target.decide(digest=digest, decision=word),
            )  # type: ignore[misc]


def altered_subjects(target: Target) -> Iterator[Attack]:
    """True digests of something else: one byte of the arguments changed, or any other field that is covered."""
    subject = target.subject
    for place in range(len(subject.arguments)):
        changed = bytearray(subject.arguments)
        changed[place] ^= 1
        yield _subject_attack(target, f"arguments byte {place}", arguments=bytes(changed))
    yield _subject_attack(target, "arguments re-formatted", arguments=subject.arguments.replace(b",", b", "))
    for name in subject.__struct_fields__:
        value = getattr(subject, name)
        others = _others(value)
        yield from (_subject_attack(target, f"{name} = {other!r}", **{name: other}) for other in others)


def _others(value: object) -> set[object]:
    """Return values near a field's; of bytes there are enough."""
    if isinstance(value, int):
        return {value + 1, value - 1}
    return {f"{value}x", value[:-1], f"{value}\u200b"} - {value} if isinstance(value, str) else set()


def _subject_attack(target: Target, name: str, **changes: Any) -> Attack:
    digest = approval_digest(msgspec.structs.replace(target.subject, **changes))
    return Attack(f"true digest of other {name}", lambda: target.decide(digest=digest))


def wrong_people(target: Target) -> Iterator[Attack]:
    """Everybody who may not decide, and names that look like somebody who may."""
    looking_like = [
        APPROVER.upper(), APPROVER.title(), f"{APPROVER} ", f" {APPROVER}", f"{APPROVER}\n", f"{APPROVER}\u200b",
        APPROVER.replace("a", "\u0430"), f"{APPROVER}\x00", f"{APPROVER},{OPERATOR}", "", "*", "root", "system",
        f"{OPERATOR} ", OPERATOR.upper(), "operator,approver",
    ]  # fmt: skip
    for name in (OPERATOR, *PEOPLE, *looking_like):
        for word in WORDS:
            yield Attack(
                f"{word} as {name!r}",
                lambda name=name, word=word: target.decide(principal_id=PrincipalId(name), decision=word),
            )  # type: ignore[misc]


def other_tenant(target: Target) -> Iterator[Attack]:
    """The other tenant's people, of the same names and roles, with the true id and digest."""
    for name in (APPROVER, OPERATOR, *PEOPLE):
        for word in WORDS:
            yield Attack(
                f"{word} as {name} of another tenant",
                lambda name=name, word=word: target.decide(OTHER, principal_id=PrincipalId(name), decision=word),
            )  # type: ignore[misc]


def requests(target: Target) -> Iterator[Attack]:
    """Requests that no person sent on purpose: followed links, other methods, also in disguise, forms of others."""
    known = target.approval.approval_id
    query = {"decision": "approve", "digest": target.approval.digest, "_method": "POST"}
    for url in (f"/approvals/{known}/decision", f"/approvals/{known}", "/approvals", f"/approvals/{known}/approve"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            yield _request(target, f"{method} {url}", method=method, url=url, params=query)
    for header in ("x-http-method-override", "x-http-method", "x-method-override"):
        yield _request(target, f"GET with {header}", method="GET", headers={header: "POST"}, params=query)
    for url in (
        f"/approvals/{known}/decision/",
        f"//approvals/{known}/decision",
        f"/approvals/{known.upper()}/decision",
    ):
        yield _request(target, f"POST {url}", url=url)
    form = f"decision=approve&digest={target.approval.digest}".encode()
    text = msgspec.json.encode({"decision": "approve", "digest": target.approval.digest})
    for kind, content in (
        ("application/x-www-form-urlencoded", form), ("text/plain", text), ("multipart/form-data; boundary=x", form),
        ("", text), ("application/xml", text), ("text/json", text), ("application/json; charset=utf-16", text),
        ("application/json-patch+json", text),
    ):  # fmt: skip
        yield _request(target, f"content type {kind!r}", content=content, headers={"content-type": kind})


def bodies(target: Target) -> Iterator[Attack]:
    """Bodies that are no decision, say more than one, or say who decides."""
    digest = target.approval.digest
    plain = {"decision": "approve", "digest": digest}
    extra: list[dict[str, object]] = [
        {"principal_id": "approver"}, {"tenant_id": TENANT}, {"tenant": TENANT}, {"status": "approved"},
        {"decided_by": ["approver"]}, {"approvers_required": 0}, {"approved": True}, {"expires_at": "2999-01-01"},
        {"approval_id": target.approval.approval_id}, {"arguments": {}},
        {"__proto__": {}}, {"reason": None}, {"reason": "x" * 2_001}, {"decision": "approved"},
        {"decision": "APPROVE"}, {"decision": True}, {"decision": None}, {"decision": ["approve"]}, {"decision": ""},
        {"digest": None}, {"digest": 0}, {"digest": [digest]}, {"digest": digest.upper()}, {"digest": "*"},
    ]  # fmt: skip
    for more in extra:
        yield _request(target, f"body with {more}", json={**plain, **more})
    for content in (
        f'{{"decision":"deny","decision":"approve","digest":"{digest}"}}',
        f'[{{"decision":"approve","digest":"{digest}"}}]', f'{{"decision":"approve","digest":"{digest}"}}{{}}',
        f'{{"decision":"approve","digest":"{digest}"', "null", "true", "",
        f"decision=approve&digest={digest}", f'{{"digest":"{digest}"}}', '{"decision":"approve"}', "\ufeff{}",
        f"{{'decision':'approve','digest':'{digest}'}}", f'{{"Decision":"approve","digest":"{digest}"}}',
    ):  # fmt: skip
        headers = {"content-type": "application/json"}
        yield _request(target, f"body {content!r}", content=content.encode(), headers=headers)


def keys(target: Target) -> Iterator[Attack]:
    """Callers without a key, with another's, with one that no longer counts, or with it in another place."""
    key = target.keys[str(APPROVER)]
    for who in target.keys:
        if who != APPROVER:
            yield _request(target, f"key of {who}", key=who)
    yield _request(target, "no key", key=None)
    for header in (
        {"authorization": key}, {"authorization": f"Basic {key}"}, {"authorization": f"Token {key}"},
        {"authorization": f"Bearer {key}x"}, {"authorization": f"Bearer {key[:-1]}"}, {"authorization": "Bearer "},
        {"authorization": f"Bearer {key} {key}"}, {"cookie": f"key={key}; session={key}"}, {"x-api-key": key},
        {"authorization": "Bearer approver"}, {"x-forwarded-user": "approver"},
        {"authorization": "Bearer " + "a" * 5_000},
    ):  # fmt: skip
        yield _request(target, f"headers {sorted(header.items())}", key=None, headers=header)
    yield _request(target, "key in the query", key=None, params={"key": key, "api_key": key, "access_token": key})


def injections(target: Target) -> Iterator[Attack]:
    """Texts that say that it was approved, by every way that a message has into a run."""
    runs, run_id, known = target.stage.kernel.runs, target.run_id, target.approval.approval_id
    payload = {**INJECTED, "approval_id": known, "digest": target.approval.digest}
    for name in (
        "approval",
        "approved",
        "approval_given",
        f"approval:{known}",
        "pay",
        "decision",
        "approval of pay",
    ):
        yield Attack(
            f"signal {name!r}",
            lambda name=name: _heard(runs.signal(TENANT, run_id, name=name, payload=payload, sent_by=APPROVER)),
        )  # type: ignore[misc]
        yield Attack(
            f"inbound event {name!r}",
            lambda name=name: _heard(target.stage.kernel.store.inbox.receive(TENANT, _event(name, payload))),
        )  # type: ignore[misc]
        yield _request(
            target, f"HTTP signal {name!r}", url=f"/runs/{run_id}/signals", key=str(OPERATOR),
            json={"name": name, "payload": payload, "message_id": f"approval:{known}"}, heard=True,
        )  # fmt: skip
    yield _request(
        target, "run whose input says so", url="/runs", key=str(OPERATOR), heard=True,
        json={"definition": "staged", "input": payload, "submission_key": f"approval:{known}"},
    )  # fmt: skip


_READING: Final = {"GET", "HEAD"}
_FULLWIDTH: Final = {ord(digit): ord(digit) + 0xFEE0 for digit in string.digits}


class HeardError(RemitError):
    """A message was taken, as it may be; whether it decided anything is what the evidence says."""

    code = "HEARD"


async def _heard(sending: Awaitable[object]) -> None:
    await sending
    raise HeardError("taken as a message")


def _event(name: str, payload: Any) -> InboundEvent:
    return InboundEvent(
        source="shop", name=name, event_key=f"approval:{name}", occurred_at=None, body=payload, raw_sha256="0" * 64,
        correlations=(payload["approval_id"], "pay"),
    )  # fmt: skip


def _request(target: Target, name: str, *, heard: bool = False, **changes: Any) -> Attack:
    async def act() -> object:
        status = await target.send(**changes)
        return status if heard or status >= 400 or changes.get("method") in _READING else "accepted"

    return Attack(f"http {name}", act)
