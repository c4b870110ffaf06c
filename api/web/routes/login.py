"""Log in with an API key, and out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from activities.store.keys import digest_of
from activities.store.sessions import NewSession, begin_session, end_session
from api.errors import KeyRefused
from api.http.cookies import drop_session, keep_session, session_in
from api.http.dependencies import ServicesDep
from api.http.key_ring import digest_in
from api.services import Services
from api.web.forms import own_path, text_of
from api.web.page import MAX_NEXT_CHARACTERS, fields_of, pages, render, see_other

router = pages()

Next = Annotated[str, Query(max_length=MAX_NEXT_CHARACTERS)]


@router.get("/login")
async def login(request: Request, next: Next = "/", entered: bool = False) -> Response:  # noqa: A002
    """Ask for a key. ``entered``: the browser comes back from ``enter``."""
    has_session = session_in(request.headers) is not None
    if entered and has_session:
        return see_other(own_path(next))
    return render(request, "login.html", next=own_path(next), is_unkept=entered, is_refused=False)


@router.post("/login")
async def enter(request: Request, services: ServicesDep) -> Response:
    """Begin a session."""
    fields = await fields_of(request)
    wanted = own_path(str(fields.get("next", "/")))
    session = await _begun(services, text_of(fields, "key").strip())
    if session is None:
        return render(
            request, "login.html", status=422, next=wanted, is_unkept=False, is_refused=True
        )
    # Only what the browser sends back then tells whether it has kept the cookie.
    response = see_other(f"/login?{urlencode({'next': wanted, 'entered': 'true'})}")
    keep_session(response, session, request.headers.get("host", ""))
    return response


async def _begun(services: Services, key: str) -> NewSession | None:
    try:
        digest = digest_in(f"Bearer {key}")
    except KeyRefused:
        return None
    return await begin_session(services.database, digest) if digest else None


@router.post("/logout")
async def leave(request: Request, services: ServicesDep) -> Response:
    """End the session, here and in the browser."""
    if token := session_in(request.headers):
        await end_session(services.database, digest_of(token))
        request.app.state.keys.forget(token)
    response = see_other("/login")
    drop_session(response)
    return response
