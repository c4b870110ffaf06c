"""Secrets, signatures, and what receivers ask for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from activities.webhooks.errors import SecretMalformed
from activities.webhooks.sending import retry_after_seconds
from activities.webhooks.signing import check_secret, new_secret, signed_headers


@given(body=st.text())
def test_what_is_signed_is_verified_by_the_library_of_receivers(body: str) -> None:
    secret = new_secret()
    body = body.encode("utf-8", "replace").decode()
    headers = dict(signed_headers(secret, uuid4(), body))
    Webhook(secret).verify(body.encode(), headers, json_parse=False)


def test_secrets_that_are_made_are_sound_and_no_two_are_alike() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    for secret in made:
        check_secret(secret)


_NO_SECRETS = (
    *("hunter2", "whsec_short", "A" * 40),
    *("whsec_" + key for key in ("!" * 40, "A" * 28, "A" * 92, "é" * 40)),
)


@pytest.mark.parametrize("secret", _NO_SECRETS)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(SecretMalformed) as refused:
        check_secret(secret)
    assert secret not in str(refused.value)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("120", 120.0), (" 7 ", 7.0)])
def test_retry_after_is_read_as_seconds(text: str, seconds: float) -> None:
    assert retry_after_seconds({"retry-after": text}) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1e3", "9" * 400, "²"])
def test_a_retry_after_that_makes_no_sense_counts_as_none(text: str) -> None:
    assert retry_after_seconds({"retry-after": text}) is None


def test_retry_after_is_read_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    earlier = format_datetime(datetime.now(UTC) - timedelta(seconds=100), usegmt=True)
    found = retry_after_seconds({"retry-after": later})
    assert found is not None
    assert 50 < found <= 100
    assert retry_after_seconds({"retry-after": earlier}) == 0.0


@given(text=st.text())
def test_whatever_stands_in_retry_after_there_is_a_pause_or_none(text: str) -> None:
    found = retry_after_seconds({"retry-after": text})
    assert found is None or found >= 0
