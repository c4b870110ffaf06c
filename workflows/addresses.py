"""What can be told from the name of a host alone, without asking anybody."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}


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


def origin_of(url: str) -> str | None:
    """The origin of a web page as browsers write it: in small letters, without the name of a user
    or a port that goes without saying. None if the URL has none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:  # Such as a port that is no number, or a name that is too long.
        return None
    if parts.scheme not in _USUAL_PORTS or not host:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (
        "" if port in {None, _USUAL_PORTS[parts.scheme]} else f":{port}"
    )
