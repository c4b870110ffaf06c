"""Which addresses may be connected to, however they are written."""

import pytest

from activities.addresses import as_address, is_private, is_public


@pytest.mark.parametrize("address", ["fd00:ec2::254%1", "fd20:ce::254%eth0", "fe80::1%eth0"])
def test_a_zone_makes_no_private_address_of_a_metadata_service(address: str) -> None:
    assert not is_private(address)
    assert not is_public(address)


def test_a_private_address_with_a_zone_is_a_private_one() -> None:
    assert is_private("fd12:3456::1%eth0")
    assert not is_public("fd12:3456::1%eth0")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("::1", "::1"),
        ("example.org", None),
        ("1.example.org", None),
        ("256.256.256.256", None),
    ],
)
def test_a_host_that_resolvers_take_for_an_address_is_one(host: str, address: str | None) -> None:
    assert as_address(host) == address
