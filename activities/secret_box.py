"""Secrets as the database may hold them: encrypted, with a key that it does not have."""

from collections.abc import Sequence

from activities.aes_keys import KEY_ID_CHARACTERS
from activities.cipher import Cipher, KeyUnknown, SealBroken


class SecretBox:
    """Encrypts with the first of its ``keys``, and decrypts with any of them.

    The ``place`` of a secret is sealed in with it: moved to another, it cannot be opened.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._cipher = Cipher(keys)

    def seal(self, secret: str, place: str) -> bytes:
        return self._cipher.key_id.encode() + self._cipher.seal(secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str | None:
        """None when it was sealed for another place, with another key, or was damaged."""
        key_id = sealed[:KEY_ID_CHARACTERS].decode("ascii", "replace")
        try:
            opened = self._cipher.open(key_id, sealed[KEY_ID_CHARACTERS:], place.encode())
        except (KeyUnknown, SealBroken):
            return None
        return opened.decode()
