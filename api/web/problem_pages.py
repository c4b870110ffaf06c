"""What goes wrong on a page, told as a page: whoever refused the request, and why ever."""

from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.paths import is_page
from api.http.problems import PROBLEM_TYPE, ProblemDocument
from api.web.page import MAX_NEXT_CHARACTERS, render, see_other

_UNKNOWN_VISITOR = 401
# They are about the problem document, which is not sent.
_REPLACED = ("content-type", "content-length")


class ProblemPages:
    """Turns problem documents into pages for those who look with a browser. Who has not logged in
    is led there first, and then to where they wanted to go."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_for_people(scope):
            await self._app(scope, receive, send)
            return
        refused: Message | None = None
        body = bytearray()

        async def readable(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_problem(message):
                refused = message
            elif refused is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await page_of(Request(scope), refused, bytes(body))(scope, receive, send)

        await self._app(scope, receive, readable)


def page_of(request: Request, refused: Message, body: bytes) -> Response:
    """The page that tells a problem."""
    document = ProblemDocument.model_validate_json(body)
    if document.status == _UNKNOWN_VISITOR:
        return see_other(f"/login?{urlencode({'next': _wanted(request)})}")
    page = render(request, "problem.html", status=document.status, problem=document)
    for name, value in Headers(scope=dict(refused)).items():
        if name not in _REPLACED:
            page.headers[name] = value
    return page


def _is_for_people(scope: Scope) -> bool:
    return is_page(scope["path"]) and "text/html" in Headers(scope=scope).get("accept", "")


def _is_problem(message: Message) -> bool:
    return MutableHeaders(scope=message).get("content-type", "").startswith(PROBLEM_TYPE)


def _wanted(request: Request) -> str:
    """The page that was asked for; of what was sent to one, that page's beginning."""
    if request.method != "GET":
        return "/"
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return wanted if len(wanted) <= MAX_NEXT_CHARACTERS else "/"
