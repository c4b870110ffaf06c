"""The token that opens metrics, and nothing else: whoever scrapes needs no key of a team."""

import hmac

from pydantic import SecretStr


def is_token(authorization: str | None, token: SecretStr | None) -> bool:
    """Whether an ``Authorization`` header holds it; the time it takes tells nothing about it."""
    scheme, _, given = (authorization or "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
