"""What can be told from the name of a host alone, without asking anybody."""

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """Whether a host, as it stands in a URL, is this machine: an address of loopback, in brackets
    or not, or ``localhost``. Any other name may be anybody's."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(name)
    except ValueError:
        return name == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
