"""Whether a browser sends a request for a page of our own, or of somebody else's site."""

from starlette.datastructures import Headers

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("same-origin", "none")  # "none": typed in, or opened from a bookmark.


def is_from_elsewhere(method: str, headers: Headers) -> bool:
    """Whether a request that changes something comes from another site's page.

    Browsers say so in ``Sec-Fetch-Site``, older ones in ``Origin`` alone; who sends neither is no
    browser, and cannot be misled. This is how Go's ``http.CrossOriginProtection`` decides it.
    """
    if method in SAFE_METHODS:
        return False
    if (site := headers.get("sec-fetch-site")) is not None:
        return site not in _OWN_SITES
    origin = headers.get("origin")
    return origin is not None and not is_own(origin, headers.get("host", ""))


def is_own(origin: str, host: str) -> bool:
    """Whether an ``Origin`` is the server's own, as its ``Host`` names it."""
    return origin.partition("://")[2] == host
