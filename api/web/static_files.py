"""Style and scripts of the page. Their path names their contents, so that browsers keep them."""

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from api.http.paths import STATIC

FOLDER = Path(__file__).parent / "static"
_VERSION_CHARACTERS = 12


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:_VERSION_CHARACTERS]


VERSION = _version()
ROOT = f"{STATIC}/{VERSION}"


class PageFiles(StaticFiles):
    """The files of a folder, by default those below ``ROOT``: they never change there."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(directory=folder)

    def file_response(self, *args: object, **options: object) -> Response:
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
