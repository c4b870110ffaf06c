"""Guards before the application: how large a request may be, and which pages may send one."""

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import OriginRefused, TooLarge
from api.http.origins import SAFE_METHODS, is_own
from api.http.problems import answer

# What multipart adds to the file: boundaries and the headers of its part.
_FORM_BYTES = 64 * 1024
_KEYS = "set AGENTOS_KEYS_REQUIRED=true, and send a key."


class BodyTooLarge(HTTPException):
    """Raised while the body is read: of all errors, only this kind passes through the framework."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(413, detail=str(limit_bytes))


class BodyLimit:
    """Bounds what is read of a request; ``upload_paths`` take more than the others."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        upload_paths: Collection[str],
        max_upload_bytes: int,
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._upload_paths = upload_paths
        self._max_upload_bytes = max_upload_bytes + _FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"] in self._upload_paths
        limit = self._max_upload_bytes if is_upload else self._max_body_bytes
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await answer(TooLarge(limit=limit))(scope, receive, send)
            return
        read_bytes = 0

        async def counted() -> Message:
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > limit:
                raise BodyTooLarge(limit)
            return message

        await self._app(scope, counted, send)


class OriginGuard:
    """Keeps foreign web pages from using a server that asks for no key.

    A page can make its visitor's browser send requests to this machine. It gives itself away by
    the ``Origin`` of what it sends or, when it has its own name point here (DNS rebinding), by the
    ``Host``. A plain address cannot be rebound.

    ``pages`` are origins whose pages may use what is below a path, by that path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        served_hosts: tuple[str, ...],
        pages: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._pages = pages
        self._served = {"localhost", *(host.lower() for host in served_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._refusal(scope)):
            await answer(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> OriginRefused | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            remedy = f"If it is a name of this server, add it to AGENTOS_SERVED_HOSTS; or {_KEYS}"
            return OriginRefused(reason=f"for the host {host[:100]!r}", remedy=remedy)
        origin = headers.get("origin")
        if scope["method"] in SAFE_METHODS or origin is None:
            return None
        if is_own(origin, host) or self._is_let_in(scope["path"], origin):
            return None
        return OriginRefused(reason=f"from pages of {origin[:100]!r}", remedy=f"S{_KEYS[1:]}")

    def _is_let_in(self, path: str, origin: str) -> bool:
        return any(
            path.startswith(f"{below}/") and origin in pages for below, pages in self._pages.items()
        )

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:  # Such as `[::1`, which leads nowhere.
            return False
        try:
            ip_address(name)
        except ValueError:
            return name in self._served
        return True
