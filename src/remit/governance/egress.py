"""Egress: where outside calls may go.

Owns: reading a URL strictly, and the judgement on every address that its host name stands for.
Does not know: resolvers or sockets. Who connects asks for each address, and connects to exactly the one it asked about:
a name that is resolved again may have moved in between.

What two parsers could read differently is refused rather than read: the URL is taken apart here once, and what is
connected to is put together from these parts.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, Literal

import msgspec

URL_CHARACTERS_MAX: Final = 2_000
NAME_CHARACTERS_MAX: Final = 253
PORT_MAX: Final = 65_535
PORTS: Final = {"https": 443, "http": 80}

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?\Z")
_PLAIN: Final = re.compile(r"[!-\[\]-~]+\Z")
"""Printable ASCII without space and backslash: some parsers take a backslash for a slash."""

_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?\Z")
_NAMED: Final = re.compile(r"([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?\Z")
_NAME: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
"""A host name whose last label begins with a letter: ``127.1``, ``0x7f.1`` and ``2130706433`` are addresses to some."""

_INNER_NAMES: Final = frozenset(
    {"local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "onion", "alt"}
)
"""Last labels of names that lead inside, or nowhere in public (RFC 6762, RFC 7686, RFC 9476, and habit)."""

_FORBIDDEN_V4: Final = tuple(
    (IPv4Network(network), meaning)
    for network, meaning in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "a carrier's inside"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's metadata"),
        ("169.254.0.0/16", "link-local, where clouds keep metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "a sink for reverse names"),
        ("192.52.193.0/24", "a relay"),
        ("192.88.99.0/24", "a relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "a sink for reverse names"),
        ("198.18.0.0/15", "benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_FORBIDDEN_V6: Final = tuple(
    (IPv6Network(network), meaning)
    for network, meaning in (
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "a relay"),
        ("2620:4f:8000::/48", "a sink for reverse names"),
        ("3fff::/20", "documentation"),
    )
)
_MAPPED_V4: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOOPBACK_V4: Final = IPv4Network("127.0.0.0/8")
_LOOPBACK_V6: Final = IPv6Address("::1")
_LOOPBACK_NAME: Final = "localhost"


class EgressRule(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may do beyond https to public hosts.

    ``ports`` are those a URL may name; ``None`` is any, for URLs that an operator wrote. ``allows_loopback`` permits
    this machine, also by plain http, for development; it never permits another private address.
    """

    ports: tuple[int, ...] | None = (443,)
    allows_loopback: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a URL leads: ``host`` is a lower-case name or an address; ``path`` begins with ``/`` and has the query."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str
    is_loopback: bool

    @property
    def authority(self) -> str:
        """Return what the ``Host`` header says."""
        return self.at(self.host)

    def at(self, host: str) -> str:
        """Return host and port as a URL has them, for this target's name or for one of its addresses."""
        bracketed = f"[{host}]" if ":" in host else host
        return bracketed if self.port == PORTS[self.scheme] else f"{bracketed}:{self.port}"


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Why a URL or address may not be reached."""

    message: str


DEFAULT_RULE: Final = EgressRule()


def read_target(url: str, rule: EgressRule = DEFAULT_RULE) -> Target | Blocked:
    """Return where a URL leads, or why it may not be followed. Its host's addresses are still to be judged."""
    if len(url) > URL_CHARACTERS_MAX:
        return Blocked(message=f"expected a URL of at most {URL_CHARACTERS_MAX} characters, got {len(url)}")
    parts = _URL.match(url) if _PLAIN.match(url) else None
    if parts is None:
        return Blocked(message="expected a URL like https://host/path in plain characters, got another text")
    scheme = parts[1].lower()
    if scheme not in PORTS:
        return Blocked(message=f"expected https, got {scheme[:20]!r}")
    if "@" in parts[2]:
        return Blocked(message="expected no user name or password in a URL, got one; headers carry credentials")
    place = _read_host(parts[2])
    if isinstance(place, Blocked):
        return place
    host, written_port = place
    target = Target(
        scheme="https" if scheme == "https" else "http",
        host=host,
        port=PORTS[scheme] if written_port is None else written_port,
        path=parts[3] if parts[3].startswith("/") else f"/{parts[3]}",
        is_loopback=is_loopback(host),
    )
    return _problem_of(target, rule) or target


def judge_address(address: str, *, target: Target) -> Blocked | None:
    """Say why one of the target's addresses may not be connected to, or ``None``.

    A target on this machine has loopback addresses only; every other one has public ones only, whatever the rule.
    """
    if target.is_loopback:
        if is_loopback(address):
            return None
        return Blocked(message=f"expected a loopback address for {target.host}, got {_shown(address)}")
    meaning = _inner_meaning(address)
    if meaning is None:
        return None
    return Blocked(message=f"expected a public address for {target.host}, got {_shown(address)}: {meaning}")


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine, without asking a resolver."""
    if host == _LOOPBACK_NAME or host.endswith(f".{_LOOPBACK_NAME}"):
        return True
    address = _address(host)
    return address in _LOOPBACK_V4 if isinstance(address, IPv4Address) else address == _LOOPBACK_V6


def _read_host(authority: str) -> tuple[str, int | None] | Blocked:
    found = _BRACKETED.match(authority) or _NAMED.match(authority)
    if found is None:
        return Blocked(message="expected a host and perhaps a port, got another text")
    port = None if found[2] is None else int(found[2])
    if port is not None and not 0 < port <= PORT_MAX:
        return Blocked(message=f"expected a port from 1 to {PORT_MAX}, got {port}")
    if authority.startswith("["):
        address = _address(found[1])
        if not isinstance(address, IPv6Address):
            return Blocked(message="expected an IPv6 address in brackets, got another text")
        return str(address), port
    host = found[1].lower().removesuffix(".")
    if _address(host) is None and not (len(host) <= NAME_CHARACTERS_MAX and _NAME.match(host)):
        return Blocked(message="expected a host name, or an address of four numbers, got another form of either")
    return host, port


def _problem_of(target: Target, rule: EgressRule) -> Blocked | None:
    if target.is_loopback and not rule.allows_loopback:
        return Blocked(message=f"expected a public host, got {target.host}: this machine")
    if target.scheme == "http" and not target.is_loopback:
        return Blocked(message=f"expected https, got http to {target.host}")
    if rule.ports is not None and target.port not in rule.ports and not target.is_loopback:
        return Blocked(message=f"expected port {', '.join(map(str, rule.ports))}, got {target.port}")
    if target.is_loopback:
        return None
    if _address(target.host) is not None:
        return judge_address(target.host, target=target)
    last = target.host.rpartition(".")[2]
    if "." not in target.host or last in _INNER_NAMES:
        return Blocked(message=f"expected a public host name, got {target.host}")
    return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is in its one accepted form; a zone is none."""
    try:
        return IPv6Address(text) if ":" in text and "%" not in text else IPv4Address(text)
    except AddressValueError:
        return None


def _inner_meaning(text: str) -> str | None:
    """Return what an address is if it is not public, or ``None``."""
    address = _address(text)
    if address is None:
        return "no address"
    if isinstance(address, IPv4Address):
        return next((meaning for network, meaning in _FORBIDDEN_V4 if address in network), None)
    if address in _MAPPED_V4 or address in _NAT64:
        # What the last 32 bits say is where it goes. A mapped one has no business on the wire, but costs no more.
        return _inner_meaning(str(IPv4Address(int(address) & 0xFFFF_FFFF)))
    if address not in _GLOBAL_V6:
        return "not global"
    return next((meaning for network, meaning in _FORBIDDEN_V6 if address in network), None)


def _shown(address: str) -> str:
    return repr(address[:50])
