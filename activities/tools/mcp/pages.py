"""Pages that a server wants a person to open. Nobody opens them but that person.

A server may want to have them trusted for another's, so what could mislead is refused: anything but
a plain address, whose host is shown beside it.
"""

import re
from urllib.parse import urlsplit

_MAX_CHARACTERS = 2_000
_PLAIN = re.compile(r"[!-~]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_INTERNATIONAL = "xn--"


def fault_of_page(url: str) -> str | None:
    """Why nobody is asked to open it."""
    if len(url) > _MAX_CHARACTERS:
        return f"it wants a page opened whose address has more than {_MAX_CHARACTERS} characters"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or "\\" in url or not _PLAIN.fullmatch(url):
        return "it wants a page opened whose address cannot be read"
    if "@" in parts.netloc:
        return "it wants a page opened whose address has a name before the host"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return "it wants a page opened that is not one of https"
    return None


def shown_page(url: str, text: str) -> str:
    """What a person reads of it: first our words, which those of the server cannot imitate then."""
    host = urlsplit(url).netloc.lower()
    is_odd = any(label.startswith(_INTERNATIONAL) for label in host.split("."))
    warning = " (it stands for other letters, and may look like another host)" if is_odd else ""
    return (
        f"Open a page at {host}{warning}:\n{url}\n"
        "Approve when you have done there what you want to, or deny. The server says:\n"
        f"{text}"
    )
