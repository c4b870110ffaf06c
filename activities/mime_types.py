"""Types of files, as somebody names them or as their names tell."""

import mimetypes
import re

UNKNOWN_TYPE = "application/octet-stream"

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def clean_mime_type(text: str | None) -> str:
    """A type as somebody named it, without parameters; unknown when it is none."""
    kind = (text or "").partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else UNKNOWN_TYPE


def guess_mime_type(name: str) -> str:
    """The type that the name of a file tells."""
    return mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
