"""Keys of AES-256, as they are written in the environment."""

import base64
import binascii
import hashlib
from collections.abc import Sequence

KEY_BYTES = 32
KEY_ID_CHARACTERS = 12


def read_keys(text: str) -> Sequence[bytes]:
    """The keys in ``text``, separated by commas: 32 bytes each, in base64 or in hexadecimal digits.

    Raises:
        ValueError: one is neither. It is not quoted.
    """
    return [_read_key(part.strip(), number) for number, part in enumerate(text.split(","), 1)]


def id_of(key: bytes) -> str:
    """It tells keys apart, and nothing about them: they are random."""
    return hashlib.sha256(b"agentos key:" + key).hexdigest()[:KEY_ID_CHARACTERS]


def _read_key(text: str, number: int) -> bytes:
    for decode in (bytes.fromhex, _from_base64):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise ValueError(
        f"key {number} is not {KEY_BYTES} bytes in base64 or hexadecimal digits; "
        "make one with `openssl rand -base64 32`"
    )


def _from_base64(text: str) -> bytes:
    usual = text.translate(str.maketrans("-_", "+/"))
    return base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)
