"""The cookies of the web page."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from activities.store.sessions import NewSession

SESSION = "agentos_session"


def session_in(headers: Headers) -> str | None:
    """The token of a session that a browser has sent."""
    return cookie_parser(headers.get("cookie", "")).get(SESSION) or None


def keep_session(response: Response, session: NewSession, host: str) -> None:
    """Only the page's own requests carry it, no script reads it, and beyond this machine it is
    never sent in the clear."""
    response.set_cookie(
        SESSION,
        session.token,
        max_age=int(session.lasts.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=not is_loopback(host),
    )


def drop_session(response: Response) -> None:
    response.delete_cookie(SESSION, httponly=True, samesite="strict")


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` is a name of this machine, seen from itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
