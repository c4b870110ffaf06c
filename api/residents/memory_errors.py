"""Why a note is not kept."""

from api.errors import RequestRefused


class NoteRefused(RequestRefused):
    """The note was not kept: {reason}."""

    status = 409
