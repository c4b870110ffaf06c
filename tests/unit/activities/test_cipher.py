"""What secrets and payloads are encrypted with, and what was written in earlier releases."""

import base64

import pytest
from temporalio.api.common.v1 import Payload

from activities.aes_keys import id_of
from activities.cipher import Cipher, KeyUnknown, SealBroken
from activities.payloads import Codec
from activities.secret_box import SecretBox

KEY, OLD = bytes(range(32)), bytes(range(1, 33))


def test_a_cipher_seals_with_its_first_key_and_opens_with_any() -> None:
    both = Cipher([KEY, OLD])
    assert both.key_id == id_of(KEY)
    assert Cipher([KEY]).open(id_of(KEY), both.seal(b"plain", b"place"), b"place") == b"plain"
    assert both.open(id_of(OLD), Cipher([OLD]).seal(b"plain", b"place"), b"place") == b"plain"


def test_a_key_that_a_cipher_does_not_have_is_told_from_a_broken_seal() -> None:
    sealed = Cipher([OLD]).seal(b"plain", b"place")
    with pytest.raises(KeyUnknown):
        Cipher([KEY]).open(id_of(OLD), sealed, b"place")
    for damaged in (sealed[:-1], sealed[:5], b""):
        with pytest.raises(SealBroken):
            Cipher([OLD]).open(id_of(OLD), damaged, b"place")
    with pytest.raises(SealBroken):
        Cipher([OLD]).open(id_of(OLD), sealed, b"elsewhere")


def test_a_secret_of_an_earlier_release_is_opened() -> None:
    sealed = "MDg4NWJlNzc3YjBih8lxNtnj0UdXWj6G6bLxiYguPJeKFjMogXqnQf9NjrBErHtnvUFg"
    assert SecretBox([KEY]).open(base64.b64decode(sealed), "a") == "open-sesame"


async def test_a_payload_of_an_earlier_release_is_decrypted() -> None:
    sealed = (
        "uJoXxiA5HLDfOoJteSzRGsWLhNkfmdE4wSWhF2Pthz8PWOxCF99jWA5OL3GIhMn45byMVOYfLKmTNcyyU7x9EiI="
    )
    metadata = {"encoding": b"binary/encrypted", "encryption-key-id": b"0885be777b0b"}
    [payload] = await Codec([KEY]).decode(
        [Payload(metadata=metadata, data=base64.b64decode(sealed))]
    )
    assert payload.data == b'"the plans"'
