"""Where a stack's pages are."""

from tests.live import Live


def page_of(live: Live, path: str) -> str:
    """The address of a page of the stack."""
    base = live.http.base_url
    return f"{base.scheme}://{base.netloc.decode()}{path}"
