"""All calls of the API, to be read and to be tried."""

from fastapi import Request, Response

from api.http.paths import DOCS
from api.web.headers import DOCS_POLICY
from api.web.page import pages, render
from api.web.swagger_ui import ROOT

router = pages()


@router.get(DOCS)
async def docs_page(request: Request) -> Response:
    """Show them. What is tried is sent as whoever looks: with their session, or with a key."""
    page = render(request, "docs/docs.html", swagger=ROOT)
    page.headers["Content-Security-Policy"] = DOCS_POLICY
    return page
