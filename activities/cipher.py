"""Encryption of what others keep for us, with keys that they do not have."""

import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.aes_keys import id_of

_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: what GCM is made for.


class KeyUnknown(Exception):
    """It was sealed with another key."""


class SealBroken(Exception):
    """It was sealed for another place, or was damaged."""


class Cipher:
    """AES-GCM: seals with the first of its ``keys``, whose id is ``key_id``, and opens with any.

    What is ``bound`` is sealed in, and not kept: it must be the same when it is opened. Whoever
    keeps what was sealed keeps the id of the key beside it.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys: Mapping[str, AESGCM] = {id_of(key): AESGCM(key) for key in keys}
        self.key_id = next(iter(self._keys))

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._keys[self.key_id].encrypt(nonce, plain, bound)

    def open(self, key_id: str, sealed: bytes, bound: bytes) -> bytes:
        """Raises ``KeyUnknown`` or ``SealBroken``."""
        key = self._keys.get(key_id)
        if key is None:
            raise KeyUnknown
        try:
            return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:  # The latter, where there is not even a nonce.
            raise SealBroken from error
