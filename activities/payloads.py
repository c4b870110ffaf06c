"""What Temporal keeps of our workflows, and its encryption with a key that Temporal never has.

The form is that of Temporal's own samples: an encrypted payload says which key it needs, and holds
the whole of the plain one. What was written without a key is still read, so that one can be set
while tasks run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, EncodingPayloadConverter, PayloadCodec

from activities.aes_keys import KEY_ID_CHARACTERS
from activities.cipher import Cipher, KeyUnknown, SealBroken
from workflows.errors.services import PayloadKeyMissing, PayloadUnreadable
from workflows.failures import DATA_CONVERTER

_ENCODING = b"binary/encrypted"
_CIPHER = b"AES/GCM"


class Codec(PayloadCodec):
    """Encrypts with the first of its ``keys``, and decrypts with any of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._cipher = Cipher(keys)
        self.key_id = self._cipher.key_id

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Raises ``PayloadKeyMissing`` or ``PayloadUnreadable``."""
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        plain, key_id = payload.SerializeToString(), self.key_id.encode()
        metadata = {
            "encoding": _ENCODING,
            "encryption-cipher": _CIPHER,
            "encryption-key-id": key_id,
        }
        return Payload(metadata=metadata, data=self._cipher.seal(plain, bound=key_id))

    def _decrypted(self, payload: Payload) -> Payload:
        key_id = key_id_of(payload)
        if key_id is None:
            return payload
        try:
            plain = self._cipher.open(key_id, payload.data, bound=key_id.encode())
            return Payload.FromString(plain)
        except KeyUnknown:
            raise _missing(key_id) from None
        except (SealBroken, DecodeError) as error:
            raise PayloadUnreadable(key=key_id) from error


class _Sealed(EncodingPayloadConverter):
    """Says what is missing where no key is set; else the SDK would only know no such encoding."""

    @property
    def encoding(self) -> str:
        return _ENCODING.decode()

    def to_payload(self, value: Any) -> None:
        """Makes none."""

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:
        raise _missing(key_id_of(payload) or "")


# They keep nothing of what they convert; and the SDK makes a converter twice in each turn of a
# workflow.
_PARTS = PydanticPayloadConverter().converters
_KEYLESS_PARTS = {**_PARTS, _ENCODING: _Sealed()}


class _Plain(PydanticPayloadConverter):
    def __init__(self) -> None:
        self.converters = _PARTS


class _Keyless(PydanticPayloadConverter):
    def __init__(self) -> None:
        self.converters = _KEYLESS_PARTS


def key_id_of(payload: Payload) -> str | None:
    """Of the key that an encrypted payload needs; None of one that is not encrypted."""
    if payload.metadata.get("encoding") != _ENCODING:
        return None
    return payload.metadata.get("encryption-key-id", b"").decode("ascii", "replace")


def data_converter(codec: PayloadCodec | None) -> DataConverter:
    """How messages become payloads."""
    if codec is None:
        return replace(DATA_CONVERTER, payload_converter_class=_Keyless)
    return replace(DATA_CONVERTER, payload_converter_class=_Plain, payload_codec=codec)


def _missing(key_id: str) -> PayloadKeyMissing:
    return PayloadKeyMissing(key=key_id[:KEY_ID_CHARACTERS])  # Anybody may have written it.
