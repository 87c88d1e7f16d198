"""Redaction: what is stored and shown holds no secret, card number or person's address.

Owns: the order (allow-list, sensitive fields, known secrets, patterns), the patterns, and the marks they leave.
Does not know: where the result goes. ``google-re2`` stands behind this module alone.

Structure comes first because it is exact. The patterns are a second line: a hit means that a contract's allow-list or
sensitive fields are incomplete, so findings are reported. One automaton over the encoded value (about 2 microseconds
per KB) says whether anything is there at all; only then is the value taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec
import re2

from remit.core.canonical import DEPTH_MAX, JsonValue
from remit.errors import InvariantViolated
from remit.governance.cards import contains_card_number
from remit.governance.disguises import disguises
from remit.governance.paths import keep_paths, mask_paths

TEXT_CHARACTERS_MAX: Final = 32_768
"""Longest text kept in a trace: what a person can read; the rest is in the journal."""

SECRET_CHARACTERS_MIN: Final = 6
"""Shorter secrets are not searched for: they would be found everywhere by chance."""

MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""For the automaton: hundreds of secrets in all their disguises need a few megabytes."""

AROUND_CHARACTERS: Final = 80
"""What a mask sees of the text around a match: more than the longest digest in hexadecimal digits."""

ALERTING: Final = frozenset({"card", "secret", "ssn"})
"""Classes that must not even be there: whoever stores the value refuses it or raises an alert."""

MATCHES_MAX: Final = 1_000
"""So many are masked one by one in a text. One that holds more is a list of what must not be shown, and each match
costs microseconds: what follows the last one is masked as a whole."""

MARK_REST: Final = "[redacted:rest]"
MARK_FIELD: Final = "[redacted:field]"
MARK_SECRET: Final = "[redacted:secret]"  # noqa: S105 - a mark, not a password

_Mask = Callable[[str, "Hit"], str | None]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """What a pattern found, and the text before and after it."""

    before: str
    after: str


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """A value fit to be stored, and the classes of what was found in it by search (not by structure)."""

    value: JsonValue
    findings: tuple[str, ...] = ()

    @property
    def must_alert(self) -> bool:
        """Whether something was there that must not be: a secret, a card number or a social security number."""
        return not ALERTING.isdisjoint(self.findings)


class TraceRules(Protocol):
    """What a contract says about its traces: dotted paths to mask, and dotted paths to keep (``None``: all)."""

    @property
    def sensitive_input_fields(self) -> tuple[str, ...]: ...
    @property
    def sensitive_output_fields(self) -> tuple[str, ...]: ...
    @property
    def trace_allowlist_input(self) -> tuple[str, ...] | None: ...
    @property
    def trace_allowlist_output(self) -> tuple[str, ...] | None: ...


class Redactor:
    """Redacts with the secrets that were resolved so far. Equal sets of secrets share one automaton."""

    __slots__ = ("_patterns", "_prefilter")

    def __init__(self, known_secrets: Iterable[str] = ()) -> None:
        self._prefilter, self._patterns = _automaton(frozenset(known_secrets))

    def redact_arguments(self, contract: TraceRules, arguments: JsonValue) -> Redacted:
        """Return a call's arguments as its trace may hold them."""
        shaped = _shaped(arguments, contract.sensitive_input_fields, contract.trace_allowlist_input)
        return self.redact_value(shaped)

    def redact_output(self, contract: TraceRules, output: JsonValue) -> Redacted:
        """Return a call's output as its trace may hold it."""
        shaped = _shaped(output, contract.sensitive_output_fields, contract.trace_allowlist_output)
        return self.redact_value(shaped)

    def redact_value(self, value: JsonValue) -> Redacted:
        """Return a value without secrets, card numbers and personal data; names of properties are searched, too."""
        try:
            encoded = msgspec.json.encode(value)
        except (TypeError, UnicodeEncodeError, ValueError):
            encoded = None  # no JSON: the walk replaces what it does not know
        if encoded is not None and len(encoded) <= TEXT_CHARACTERS_MAX and not self._prefilter.Match(encoded):
            return Redacted(value=value)
        found: set[str] = set()
        redacted = self._walk(value, found, 0)
        return Redacted(value=redacted, findings=tuple(sorted(found)))

    def redact_text(self, text: str) -> str:
        """Return a text without secrets, card numbers and personal data, cut to `TEXT_CHARACTERS_MAX`."""
        return _cut(self._search(text, set()))

    def _walk(self, value: object, found: set[str], depth: int) -> JsonValue:
        if depth > DEPTH_MAX:
            return "[redacted:depth]"
        match value:
            case str():
                return value if len(value) < SECRET_CHARACTERS_MIN else _cut(self._search(value, found))
            case bool() | None | float():
                return value
            case int():
                return value if -(10**5) < value < 10**5 else self._search_integer(value, found)
            case Mapping():
                return {
                    self._search(str(name), found): self._walk(item, found, depth + 1) for name, item in value.items()
                }
            case list() | tuple():
                return [self._walk(item, found, depth + 1) for item in value]
            case _:
                return "[redacted:type]"

    def _search_integer(self, value: int, found: set[str]) -> JsonValue:
        digits = str(value)
        # Nobody issues cards with 13 digits any more, but shops number their orders so.
        if len(digits) == 13:
            return value
        searched = self._search(digits, found)
        return value if searched == digits else searched

    def _search(self, text: str, found: set[str]) -> str:
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            encoded = text.encode(errors="replace")
            text = encoded.decode()
        for index in sorted(self._prefilter.Match(encoded) or ()):
            text = self._patterns[index].apply(text, found)
        return text


class _Pattern:
    """One class of what is searched for: its name, its expression, and what replaces a match."""

    __slots__ = ("_compiled", "_mask", "expression", "name")

    def __init__(self, name: str, expression: str, mask: _Mask) -> None:
        self.name = name
        self.expression = expression
        self._compiled = re2.compile(expression)
        self._mask = mask

    def apply(self, text: str, found: set[str]) -> str:
        """Return the text with every match replaced that the mask does not spare."""
        pieces: list[str] = []
        end = 0
        for match in self._compiled.finditer(text):
            before = text[max(0, match.start() - AROUND_CHARACTERS) : match.start()]
            hit = Hit(before=before, after=text[match.end() : match.end() + AROUND_CHARACTERS])
            masked = self._mask(match.group(), hit)
            if masked is not None:
                found.add(self.name)
                pieces += (text[end : match.start()], masked)
                end = match.end()
            if len(pieces) >= 2 * MATCHES_MAX:
                return "".join((*pieces, MARK_REST))
        return "".join((*pieces, text[end:])) if pieces else text


class _KnownSecrets(_Pattern):
    """The secrets that we know. Forms of one may overlap in a text: whatever belongs to any occurrence is masked."""

    __slots__ = ()

    def apply(self, text: str, found: set[str]) -> str:
        encoded = text.encode()
        pieces: list[bytes] = []
        end = 0
        match = self._compiled.search(encoded)
        count = 0
        while match is not None:  # bound: each match starts after the one before
            count += 1
            if count > MATCHES_MAX:
                pieces.append(MARK_REST.encode())
                end = len(encoded)
                break
            if match.start() >= end:
                pieces += (encoded[end : match.start()], MARK_SECRET.encode())
            end = max(end, match.end())
            match = self._compiled.search(encoded, match.start() + 1)
        if pieces:
            found.add(self.name)
        return b"".join((*pieces, encoded[end:])).decode(errors="replace")


def mask_secrets(value: JsonValue, secrets: frozenset[str]) -> JsonValue:
    """Return a value without these secrets in any of their disguises; the same object if it holds none.

    Unlike ``Redactor.redact_value`` it looks for nothing else and cuts nothing: what it returns is worked on further.
    """
    automaton = _secrets_automaton(secrets)
    if automaton is None:
        return value
    prefilter, pattern = automaton
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError, ValueError):
        encoded = None
    if encoded is not None and not prefilter.Match(encoded):
        return value
    return _masked(value, pattern, 0)


def _masked(value: object, pattern: _Pattern, depth: int) -> JsonValue:
    if depth > DEPTH_MAX:
        return "[redacted:depth]"
    match value:
        case str():
            return pattern.apply(value.encode(errors="replace").decode(), set())
        case Mapping():
            return {_masked_name(name, pattern): _masked(item, pattern, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [_masked(item, pattern, depth + 1) for item in value]
        case bool() | None | float() | int():
            return value
        case _:
            return "[redacted:type]"


def _masked_name(name: object, pattern: _Pattern) -> str:
    return pattern.apply(str(name).encode(errors="replace").decode(), set())


def redact_text(text: str) -> str:
    """Return a text without what the patterns find; for places that know no secrets."""
    return Redactor().redact_text(text)


def _shaped(value: JsonValue, sensitive: Sequence[str], allowed: Sequence[str] | None) -> JsonValue:
    if allowed is not None:
        value = keep_paths(value, tuple(allowed))
    if sensitive:
        value = mask_paths(value, tuple(sensitive), mark=MARK_FIELD)
    return value


def _cut(text: str) -> str:
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    return f"{text[:TEXT_CHARACTERS_MAX]}… [cut: {len(text)} characters]"


@lru_cache(maxsize=8)
def _automaton(secrets: frozenset[str]) -> tuple[Any, tuple[_Pattern, ...]]:
    known = _known(secrets)
    patterns = _PATTERNS if known is None else (known[0], *_PATTERNS)
    return _prefilter(patterns, () if known is None else known[1]), patterns


@lru_cache(maxsize=8)
def _secrets_automaton(secrets: frozenset[str]) -> tuple[Any, _Pattern] | None:
    known = _known(secrets)
    return None if known is None else (_prefilter((known[0],), known[1]), known[0])


def _known(secrets: frozenset[str]) -> tuple[_Pattern, list[str]] | None:
    """Return the pattern that finds secrets, and their forms; ``None`` if there is none long enough."""
    forms = sorted({form for secret in secrets if len(secret) >= SECRET_CHARACTERS_MIN for form in disguises(secret)})
    if not forms:
        return None
    # Longest first, so that no shorter form leaves the rest of a longer one behind.
    forms.sort(key=len, reverse=True)
    alternatives = "|".join(str(re2.escape(form)) for form in forms)
    return _KnownSecrets("secret", f"(?i:{alternatives})", _mask_key), forms


def _prefilter(patterns: Sequence[_Pattern], forms: Sequence[str]) -> Any:
    prefilter = re2.Set.SearchSet(_options())
    for pattern in patterns:
        prefilter.Add(pattern.expression)
    prefilter.Compile()
    # An automaton that ran out of memory finds nothing and says nothing: ask it.
    for form in forms:
        if not prefilter.Match(form.encode()):
            raise InvariantViolated("the redactor does not find a secret that it was built for; use fewer secrets")
    return prefilter


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MEMORY_BYTES_MAX
    options.log_errors = False
    return options


# --- patterns ---------------------------------------------------------------------------------------------------------

_KEY_PREFIXES: Final = (
    r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{8,}",  # Stripe
    # OpenAI, Anthropic. Inside of a word only what cannot be one: a file is called task-status-orchestration.
    r"\bsk-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{20,}|sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{16,}",
    r"whsec_[0-9A-Za-z+/=_-]{8,}",
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_-]{16,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}",  # Slack
    r"SG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # SendGrid
    r"shp(?:at|ca|pa|ss|tka|ua)_[0-9A-Za-z]{8,}",  # Shopify
    r"smk_[0-9A-Za-z_-]{8,}",
    r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    r"AIza[0-9A-Za-z_-]{35}",
    r"(?:api|secret)_[0-9A-Za-z]{20,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON Web Token
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
)
_LETTER: Final = r"[A-Za-z\x{80}-\x{10ffff}]"
_DOMAIN_PART: Final = r"[A-Za-z0-9\x{80}-\x{10ffff}][A-Za-z0-9\x{80}-\x{10ffff}-]*"
_LOCAL_PART: Final = r"""[^\s@<>()\[\],;:"'\\/=&?%|`]"""

_MASKED_EMAIL: Final = re.compile(r"(?P<first>.).*(?P<at>@|%40).*(?P<suffix>\.[^.]+)\Z", re.DOTALL)


def _mask_key(text: str, _hit: Hit) -> str:
    del text
    return MARK_SECRET


def _mask_authorization(text: str, _hit: Hit) -> str:
    scheme = re.match(r"\w+", text)
    assert scheme is not None
    return f"{scheme.group()} {MARK_SECRET}"


def _mask_card(text: str, hit: Hit) -> str | None:
    return "[redacted:card]" if contains_card_number(text, before=hit.before, after=hit.after) else None


def _mask_email(text: str, _hit: Hit) -> str | None:
    parts = _MASKED_EMAIL.match(text)
    return None if parts is None else f"{parts['first']}***{parts['at']}***{parts['suffix']}"


def _mask_phone(text: str, _hit: Hit) -> str:
    return f"***-***-{re.sub(r'[^0-9]', '', text)[-4:]}"


def _mask_ssn(text: str, hit: Hit) -> str | None:
    area, group, serial = text.split("-")
    is_issued = area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"
    is_part = hit.before[-1:].isalnum() or hit.before[-1:] == "-" or hit.after[:1].isalnum() or hit.after[:1] == "-"
    return "[redacted:ssn]" if is_issued and not is_part else None


_PATTERNS: Final = (
    _Pattern("secret", "|".join(_KEY_PREFIXES), _mask_key),
    _Pattern("secret", r"(?i:bearer|basic)(?:\s|%20|\+)+[A-Za-z0-9._~+/=-]{12,}", _mask_authorization),
    _Pattern("secret", r"://[^\s/@:\"']*:[^\s/@\"']+@", lambda _text, _hit: f"://{MARK_SECRET}@"),
    # Any first digit: asking for an issuer's here would multiply the automaton's states. The mask asks.
    _Pattern("card", r"[0-9](?:(?:[ -]|%20)?[0-9]){12,}", _mask_card),
    _Pattern(
        "email",
        f"{_LOCAL_PART}+(?:@|%40){_DOMAIN_PART}(?:\\.{_DOMAIN_PART})*\\.{_LETTER}{{2,24}}",
        _mask_email,
    ),
    _Pattern(
        "phone",
        r"(?:\+|%2[Bb])[1-9](?:(?:[ ./()-]|%20){0,2}[0-9]){9,14}"
        r"|(?:\([0-9]{3}\) ?|\b[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}\b",
        _mask_phone,
    ),
    _Pattern("ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _mask_ssn),
)
