"""Egress: no URL and no address leads where only we should be."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.governance.egress import Blocked, EgressRule, Target, judge_address, read_target

OPEN = EgressRule(ports=None, allows_loopback=True)
PUBLIC = Target(scheme="https", host="hooks.example", port=443, path="/", is_loopback=False)
LOCAL = Target(scheme="http", host="localhost", port=9000, path="/", is_loopback=True)

PUBLIC_ADDRESSES = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "168.63.129.15", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.3.1", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "64:ff9b::808:808", "::ffff:8.8.8.8",
)  # fmt: skip

INNER_ADDRESSES = (
    # this network, private, carriers, loopback, link-local, metadata
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    # protocols, documentation, relays, benchmarks, multicast, reserved
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    # IPv6: unspecified, loopback, compatible, mapped, NAT64 (also its local prefix), 6to4, Teredo, ORCHID
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:0:53aa:64c::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "2620:4f:8000::1",
    # unique local (with a cloud's metadata), link-local, site-local, multicast, discard, segment routing
    "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "100::1",
    "5f00::1", "4000::1", "1::1",
    # forms that are none
    "", "localhost", "127.1", "0177.0.0.1", "2130706433", "0x7f000001", "fe80::1%eth0", "1.2.3.4.5", "1.2.3",
    " 8.8.8.8", "8.8.8.8 ", "\uff18.8.8.8", "::ffff:0x7f.1",
)  # fmt: skip

BLOCKED_URLS = (
    # schemes
    "http://hooks.example/", "HTTP://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "gopher://h.example/",
    "dict://h.example:11211/", "javascript:alert(1)", "//hooks.example/", "hooks.example/", "https:hooks.example", "",
    "data:text/plain,hi", "unix:///var/run/docker.sock", "https//hooks.example",
    # this machine, by every name
    "https://localhost/", "https://LOCALHOST./", "https://x.localhost/", "https://127.0.0.1/", "https://127.1.2.3:443/",
    "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://0.0.0.0/", "https://[::]/",
    # numbers that some parsers take for addresses
    "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/",
    "https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.01/", "https://1.2.3.4.5/", "https://0/",
    "https://169.254.43518/", "https://a.b.0x7f/", "https://hooks.example.1/",
    # private and special addresses
    "https://10.0.0.1/", "https://172.16.5.4/", "https://192.168.1.1/", "https://100.64.0.1/", "https://169.254.169.254/",
    "https://[fd00:ec2::254]/", "https://[fe80::1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[2002:a9fe:a9fe::]/",
    "https://224.0.0.1/", "https://255.255.255.255/", "https://198.18.0.1/", "https://168.63.129.16/",
    # inner names
    "https://metadata.google.internal/", "https://printer.local/", "https://db.localdomain/", "https://intranet/",
    "https://kubernetes.default.svc.cluster.local/", "https://router.lan/", "https://nas.home.arpa/", "https://x.onion/",
    "https://1.0.0.127.in-addr.arpa/", "https://wiki.corp/", "https://hooks/",
    # who is the host?
    "https://hooks.example@127.0.0.1/", "https://user:pass@hooks.example/", "https://127.0.0.1\\@hooks.example/",
    "https://hooks.example\\.evil.example/", "https://hooks.example:80:443/", "https://hooks.example:/",
    "https://:443/", "https:///path", "https://?x", "https://#x", "https://[::1", "https://::1/", "https://[hooks.example]/",
    "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::ffff:127.0.0.1].example/",
    "https://hooks..example/", "https://.hooks.example/", "https://-hooks.example/", "https://hooks-.example/",
    "https://hooks_x.example/", "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
    "https://*.example/",
    # characters
    "https://hooks.example /", " https://hooks.example/", "https://hooks.example/\n",
    "https://hooks.example/\r\nHost: x", "https://ho\toks.example/", "https://hooks.example/\x00", "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "https://\u24dbocalhost/", "https://hooks\u3002example/", "https://h\xf6oks.example/", "https://%6cocalhost/", "https://127%2e0.0.1/",
    "https://hooks.example%00.evil.example/", "https://hooks.example/\xfc",
    # ports, and length
    "https://hooks.example:22/", "https://hooks.example:80/", "https://hooks.example:0/", "https://hooks.example:65536/",
    "https://hooks.example:99999/", "https://hooks.example:-1/", "https://hooks.example:4a/",
    "https://hooks.example/" + "a" * 2_000,
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_address_is_reached(address: str) -> None:
    """
    Addresses of the public internet pass, also next to a forbidden range and inside a mapped form.
    """
    assert judge_address(address, target=PUBLIC) is None


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_inner_address_is_not_reached(address: str) -> None:
    """
    No private, special or disguised address passes, nor what is no address.
    """
    assert isinstance(judge_address(address, target=PUBLIC), Blocked)


@pytest.mark.parametrize("url", BLOCKED_URLS)
def test_url_that_may_lead_inside_is_blocked(url: str) -> None:
    """
    What is no https URL of a public host on its usual port is refused, and so is what parsers read differently.
    """
    assert isinstance(read_target(url), Blocked)


def test_corpus_is_large_and_without_repetition() -> None:
    """
    Every entry of the corpora is there once.
    """
    addresses, urls = [*PUBLIC_ADDRESSES, *INNER_ADDRESSES], [*BLOCKED_URLS]
    repeated = [one for corpus in (addresses, urls) for one in corpus if corpus.count(one) > 1]

    assert [] == repeated
    assert len(addresses) + len(urls) > 180


@pytest.mark.parametrize(
    ("url", "host", "authority", "path"),
    [
        ("https://hooks.example", "hooks.example", "hooks.example", "/"),
        ("HTTPS://Hooks.EXAMPLE.:443/A?b=c#d", "hooks.example", "hooks.example", "/A?b=c"),
        ("https://hooks.example?b=@c", "hooks.example", "hooks.example", "/?b=@c"),
        ("https://xn--hks-6qaa.example/", "xn--hks-6qaa.example", "xn--hks-6qaa.example", "/"),
        ("https://8.8.8.8/", "8.8.8.8", "8.8.8.8", "/"),
        ("https://[2606:4700::1111]/x", "2606:4700::1111", "[2606:4700::1111]", "/x"),
        ("https://127.0.0.1.example/", "127.0.0.1.example", "127.0.0.1.example", "/"),
        ("https://localhost.example/", "localhost.example", "localhost.example", "/"),
    ],
)  # fmt: skip
def test_public_url_is_taken_apart(url: str, host: str, authority: str, path: str) -> None:
    """
    Host, port and path are what a browser would take, in one form.
    """
    target = read_target(url)

    assert isinstance(target, Target)
    assert (host, 443, authority, path) == (target.host, target.port, target.authority, target.path)
    assert not target.is_loopback


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/in", "http://localhost:9000/", "https://[::1]:9000/", "http://receiver.localhost/"]
)
def test_this_machine_is_reached_only_if_allowed(url: str) -> None:
    """
    A receiver on this machine needs the permission, and is then reached on loopback addresses only.
    """
    target = read_target(url, OPEN)

    assert isinstance(read_target(url), Blocked)
    assert isinstance(target, Target)
    assert judge_address("127.0.0.1", target=target) is None
    assert judge_address("::1", target=target) is None
    for address in ("10.0.0.1", "8.8.8.8", "169.254.169.254", "::ffff:127.0.0.1"):
        assert isinstance(judge_address(address, target=target), Blocked)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "https://10.0.0.1/", "https://192.168.1.1:9000/", "http://hooks.example/", "https://nas.local/",
     "https://169.254.169.254/", "https://0.0.0.0/"],
)  # fmt: skip
def test_permission_for_this_machine_opens_nothing_else(url: str) -> None:
    """
    Other private addresses, inner names and plain http to elsewhere stay forbidden.
    """
    assert isinstance(read_target(url, OPEN), Blocked)


def test_name_of_a_public_host_never_means_this_machine() -> None:
    """
    A name that resolves to loopback is refused even where loopback is allowed: names can be made to point anywhere.
    """
    target = read_target("https://hooks.example/", OPEN)

    assert isinstance(target, Target)
    assert isinstance(judge_address("127.0.0.1", target=target), Blocked)


def test_other_ports_need_the_permission() -> None:
    """
    A URL on another port passes a rule that names it, or any.
    """
    assert isinstance(read_target("https://hooks.example:8443/"), Blocked)
    assert isinstance(read_target("https://hooks.example:8443/", EgressRule(ports=(443, 8443))), Target)
    assert isinstance(read_target("https://hooks.example:8443/", EgressRule(ports=None)), Target)


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_every_public_ipv4_address_is_global(number: int) -> None:
    """
    What passes is what the registry of special addresses calls global, as the standard library knows it.
    """
    address = ipaddress.IPv4Address(number)

    if judge_address(str(address), target=PUBLIC) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_embedded_ipv4_address_is_judged_as_itself(number: int, prefix: str) -> None:
    """
    An IPv4 address inside an IPv6 one passes exactly if it passes alone.
    """
    plain = str(ipaddress.IPv4Address(number))
    embedded = str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + number))

    verdicts = [judge_address(address, target=PUBLIC) is None for address in (plain, embedded)]
    assert verdicts[0] == verdicts[1]


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_every_public_ipv6_address_is_global_unicast(number: int) -> None:
    """
    Beside embedded addresses, only global unicast passes.
    """
    address = ipaddress.IPv6Address(number)
    is_embedded = number >> 32 in {0xFFFF, 0x64FF9B << 64}

    if judge_address(str(address), target=PUBLIC) is None and not is_embedded:
        assert 0b001 == number >> 125
        assert address.is_global


@given(st.text(max_size=60))
def test_any_text_is_read_or_blocked(text: str) -> None:
    """
    No text makes the reader fail, with or without a scheme before it.
    """
    for url in (text, f"https://{text}", f"https://hooks.example/{text}"):
        target = read_target(url, OPEN)
        assert isinstance(target, Target | Blocked)
        if isinstance(target, Target):
            assert target.is_loopback or "." in target.host or ":" in target.host
