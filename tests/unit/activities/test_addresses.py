"""Which addresses may be connected to, however they are written."""

import pytest

from activities.addresses import is_private, is_public


@pytest.mark.parametrize("address", ["fd00:ec2::254%1", "fd20:ce::254%eth0", "fe80::1%eth0"])
def test_a_zone_makes_no_private_address_of_a_metadata_service(address: str) -> None:
    assert not is_private(address)
    assert not is_public(address)


def test_a_private_address_with_a_zone_is_a_private_one() -> None:
    assert is_private("fd12:3456::1%eth0")
    assert not is_public("fd12:3456::1%eth0")
