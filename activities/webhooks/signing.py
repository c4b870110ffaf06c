"""Secrets of webhooks, and what they sign."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

from activities.webhooks.errors import SecretMalformed

PREFIX = "whsec_"
# As the standard has them.
_MIN_BYTES = 24
_MAX_BYTES = 64
_MADE_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_MADE_BYTES)).decode()


def check_secret(secret: str) -> None:
    """Raises ``SecretMalformed``, which does not quote it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not secret.startswith(PREFIX) or not _MIN_BYTES <= len(key) <= _MAX_BYTES:
        raise SecretMalformed


def signed_headers(secret: str, delivery_id: UUID, body: str) -> Mapping[str, str]:
    """Of one attempt: the signature holds for some minutes, so each needs its own."""
    now = datetime.now(UTC)
    return {
        "webhook-id": str(delivery_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(str(delivery_id), now, body),
    }
