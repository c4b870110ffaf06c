"""Secrets as the database may hold them: encrypted, with a key that it does not have."""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.aes_keys import KEY_ID_CHARACTERS, id_of

_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: what GCM is made for.


class SecretBox:
    """Encrypts with the first of its ``keys``, and decrypts with any of them.

    The ``place`` of a secret is sealed in with it: moved to another, it cannot be opened.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {id_of(key).encode(): AESGCM(key) for key in keys}

    def seal(self, secret: str, place: str) -> bytes:
        key_id, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        return key_id + nonce + key.encrypt(nonce, secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str | None:
        """None when it was sealed for another place, with another key, or was damaged."""
        key = self._keys.get(sealed[:KEY_ID_CHARACTERS])
        rest = sealed[KEY_ID_CHARACTERS:]
        if key is None:
            return None
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError):
            return None
