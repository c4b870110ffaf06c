"""The text of a message, which may be longer than a word of a command line can be."""

import sys

from api.cli.errors import MessageUnreadable

_MAX_BYTES = 1024 * 1024  # Over twice what any message holds in UTF-8.


def message_text(given: str) -> str:
    """``-`` is stdin, without the ends of lines behind it.

    Raises:
        MessageUnreadable: that is no text, or far too long.
    """
    if given != "-":
        return given
    content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise MessageUnreadable(reason=f"it is larger than {_MAX_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1:,} is not UTF-8; convert it first, or attach it as a file"
        raise MessageUnreadable(reason=reason) from error
