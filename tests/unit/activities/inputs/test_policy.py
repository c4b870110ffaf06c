"""Which hosts, buckets and addresses inputs may come from."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.addresses import is_private, is_public
from activities.inputs.policy import InputPolicy
from workflows.definitions import inputs
from workflows.definitions.inputs import HttpsRef, S3Ref
from workflows.errors import BadInput


def refusal(policy: InputPolicy, text: str) -> str | None:
    ref = inputs.parse(text)
    assert isinstance(ref, HttpsRef | S3Ref)
    return policy.refusal(ref)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("a.example", "https://a.example/x"),
        ("A.Example", "https://a.example/x"),
        ("a.example", "https://a.example:443/x"),
        ("a.example:8443", "https://a.example:8443/x"),
        ("*.a.example", "https://b.a.example/x"),
        ("*.a.example", "https://c.b.a.example/x"),
        ("*", "https://anything.example/"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"),
    ],
)
def test_a_host_that_is_listed_is_allowed(pattern: str, url: str) -> None:
    assert refusal(InputPolicy(allowed_hosts=(pattern,)), url) is None
    assert refusal(InputPolicy(private_hosts=(pattern,)), url) is None


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("a.example", "https://b.example/"),
        ("a.example", "https://b.a.example/"),
        ("a.example", "https://a.example.evil/"),
        ("a.example", "https://a.example:8443/"),
        ("a.example:8443", "https://a.example/"),
        ("*.a.example", "https://a.example/"),
        ("*.a.example", "https://evila.example/"),
        ("*.a.example", "https://a.example.evil/"),
        ("*.a.example:1", "https://b.a.example:2/"),
    ],
)
def test_a_host_that_is_not_listed_is_refused(pattern: str, url: str) -> None:
    assert "AGENTOS_ALLOWED_HOSTS" in (refusal(InputPolicy(allowed_hosts=(pattern,)), url) or "")


def test_by_default_nothing_outside_the_store_is_allowed() -> None:
    assert refusal(InputPolicy(), "https://a.example/")
    assert refusal(InputPolicy(), "s3://bucket/key")


def test_only_listed_buckets_are_allowed() -> None:
    policy = InputPolicy(allowed_buckets=("data",))
    assert refusal(policy, "s3://data/key") is None
    refused = str(refusal(policy, "s3://data-2/key"))
    assert refused.startswith("bucket 'data-2' is not in AGENTOS_ALLOWED_BUCKETS; add it there")


@pytest.mark.parametrize("text", ["", "https://a.example", "a.example/x", "a.*.example", "a:b"])
def test_a_malformed_host_pattern_is_refused_at_once(text: str) -> None:
    with pytest.raises(BadInput, match="is not a host"):
        InputPolicy(allowed_hosts=(text,))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *("168.63.129.16", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.0.8", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "198.18.0.1", "203.0.113.1", "192.88.99.1"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "fe80::1", "fe80::1%1"),
        *("fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1"),
    ],
)
def test_an_address_beside_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
        ),
        *("2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "2003::1"),
    ],
)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    return any(
        (
            *(address.is_private, address.is_loopback, address.is_link_local),
            *(address.is_multicast, address.is_reserved, address.is_unspecified),
        )
    )


@given(st.ip_addresses())
def test_an_address_that_python_calls_special_is_never_public(
    address: IPv4Address | IPv6Address,
) -> None:
    assert not (is_public(str(address)) and _is_special(address))


_V4 = st.ip_addresses(v=4).map(int)


@given(_V4, st.integers(0, 2**80 - 1))
def test_an_ipv4_address_wrapped_in_ipv6_is_never_public(inner: int, rest: int) -> None:
    wrapped = {
        "mapped": 0xFFFF << 32 | inner,
        "compatible": inner,
        "translated": 0xFFFF << 48 | inner,
        "nat64": 0x64FF9B << 96 | inner,
        "nat64 of a site": 0x64FF9B0001 << 80 | rest,
        "6to4": 0x2002 << 112 | inner << 80 | rest,
        "teredo server": 0x20010000 << 96 | inner << 64 | rest & (2**64 - 1),
        "teredo client": 0x20010000 << 96 | rest & ~0xFFFFFFFF | inner ^ 0xFFFFFFFF,
    }
    public = {form for form, number in wrapped.items() if is_public(str(IPv6Address(number)))}
    assert public == set()


@given(st.ip_addresses())
def test_a_trusted_host_never_has_a_link_local_or_multicast_address(
    address: IPv4Address | IPv6Address,
) -> None:
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        assert not is_private(str(address))


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.168.1.1", "::1", "fd12::1"])
def test_a_private_address_is_for_trusted_hosts(address: str) -> None:
    assert is_private(address)
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "fe80::1"]
)
def test_a_metadata_service_is_for_nobody(address: str) -> None:
    assert not is_private(address)
    assert not is_public(str(ip_address(address)))
