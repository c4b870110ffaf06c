"""Light, dark, or as the system has it: kept in a cookie, so that a page is drawn right at once."""

from fastapi import Request, Response

from api.http.cookies import is_loopback
from api.web.forms import own_path, text_of
from api.web.page import THEME, THEMES, fields_of, pages, see_other

router = pages()

_YEAR_SECONDS = 365 * 86_400


@router.post("/theme")
async def choose_theme(request: Request) -> Response:
    """Choose, and go on where one was."""
    fields = await fields_of(request)
    theme = text_of(fields, "theme")
    response = see_other(own_path(str(fields.get("next", "/"))))
    if theme in THEMES:
        response.set_cookie(
            THEME,
            theme,
            max_age=_YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=not is_loopback(request.headers.get("host", "")),
        )
    return response
