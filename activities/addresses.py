"""Which IP addresses may be connected to on the word of somebody else."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import inet_aton

# What the IANA special-purpose registry marks as not globally reachable, and multicast. Written
# out, because `ipaddress.is_global` differs between patch releases of Python.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent: public by number, yet it serves secrets to VMs
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# All that is in use of IPv6 lies here. Outside are loopback, unspecified, unique local, link-local
# and multicast, IPv4-mapped, NAT64 and other wrapped IPv4 addresses, which reach what they wrap.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols; Teredo, which wraps IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps IPv4
        "3fff::/20",  # documentation
    )
)

# What a host inside the house may have. Never link-local: metadata services live there.
_PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("fc00::/7"),
    IPv6Network("::1/128"),
)
_METADATA = tuple(
    ip_address(address)
    for address in ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")  # Alibaba, AWS, Google
)


def as_address(host: str) -> str | None:
    """The IP address that a host stands for without being looked up; None for a name. Resolvers
    take `0x7f.1`, `127.1` and `2130706433` for 127.0.0.1."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return str(ip_address(inet_aton(host)))
    except (OSError, ValueError):
        return None


def is_public(text: str) -> bool:
    """Whether an address, as ``getaddrinfo`` writes it, is one of the public internet."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST_V6 and not any(address in net for net in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)


def is_private(text: str) -> bool:
    """Whether an address may belong to a trusted host inside the house: private or loopback."""
    # Without its zone, which makes another address of one that leads to the same machine.
    address = ip_address(text.partition("%")[0])
    return address not in _METADATA and any(address in network for network in _PRIVATE)
