"""Payloads that Temporal cannot read."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from activities.aes_keys import KEY_BYTES, read_keys
from activities.payloads import Codec, data_converter
from workflows.errors.services import PayloadKeyMissing, PayloadUnreadable

KEY, OLD = bytes(range(32)), bytes(range(1, 33))
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"the plans"')


@given(st.dictionaries(st.text(), st.binary()), st.binary())
async def test_what_is_encrypted_is_decrypted_to_the_same(
    metadata: dict[str, bytes], data: bytes
) -> None:
    payloads = [Payload(metadata=metadata, data=data), PAYLOAD]
    encrypted = await Codec([KEY]).encode(payloads)
    assert await Codec([KEY]).decode(encrypted) == payloads


async def test_nothing_of_a_payload_is_to_be_seen_and_no_two_look_alike() -> None:
    first, second = await Codec([KEY]).encode([PAYLOAD, PAYLOAD])
    assert b"plan" not in first.SerializeToString()
    assert first.data != second.data
    assert first.metadata["encoding"] == b"binary/encrypted"


async def test_a_payload_from_before_the_key_is_read_as_it_is() -> None:
    assert await Codec([KEY]).decode([PAYLOAD]) == [PAYLOAD]


async def test_a_key_that_follows_another_still_decrypts() -> None:
    encrypted = await Codec([OLD]).encode([PAYLOAD])
    both = Codec([KEY, OLD])
    assert await both.decode(encrypted) == [PAYLOAD]
    assert both.key_id == Codec([KEY]).key_id


async def test_a_key_that_is_not_there_is_named() -> None:
    encrypted = await Codec([OLD]).encode([PAYLOAD])
    with pytest.raises(PayloadKeyMissing, match=Codec([OLD]).key_id) as caught:
        await Codec([KEY]).decode(encrypted)
    assert caught.value.retryable


async def test_where_no_key_is_set_at_all_the_missing_one_is_named_as_well() -> None:
    keyless = data_converter(None)
    encrypted = await data_converter(Codec([KEY])).encode(["the plans"])
    with pytest.raises(PayloadKeyMissing, match=Codec([KEY]).key_id):
        await keyless.decode(encrypted)
    assert await keyless.decode(await keyless.encode(["the plans", None])) == ["the plans", None]


@pytest.mark.parametrize("place", [0, 15, -1])
async def test_a_payload_that_was_changed_is_refused(place: int) -> None:
    [encrypted] = await Codec([KEY]).encode([PAYLOAD])
    changed = bytearray(encrypted.data)
    changed[place] ^= 1
    encrypted.data = bytes(changed)
    with pytest.raises(PayloadUnreadable):
        await Codec([KEY]).decode([encrypted])


@pytest.mark.parametrize("data", [b"", b"short", bytes(12)])
async def test_a_payload_that_was_cut_off_is_refused(data: bytes) -> None:
    [encrypted] = await Codec([KEY]).encode([PAYLOAD])
    encrypted.data = data
    with pytest.raises(PayloadUnreadable):
        await Codec([KEY]).decode([encrypted])


async def test_a_payload_does_not_pass_for_one_of_another_key() -> None:
    [encrypted] = await Codec([KEY]).encode([PAYLOAD])
    encrypted.metadata["encryption-key-id"] = Codec([OLD]).key_id.encode()
    with pytest.raises(PayloadUnreadable):
        await Codec([KEY, OLD]).decode([encrypted])


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode().rstrip("="),
        KEY.hex(),
        KEY.hex().upper(),
        f" {KEY.hex()} ",
    ],
)
def test_a_key_may_be_written_in_base64_or_in_hexadecimal_digits(text: str) -> None:
    assert read_keys(text) == [KEY]


def test_several_keys_are_separated_by_commas() -> None:
    assert read_keys(f"{KEY.hex()},{base64.b64encode(OLD).decode()}") == [KEY, OLD]


@pytest.mark.parametrize("text", ["", "secret", KEY.hex()[2:], "ключ", f"{KEY.hex()},", "a" * 500])
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=f"{KEY_BYTES} bytes in base64") as caught:
        read_keys(text)
    assert not text or text not in str(caught.value)
