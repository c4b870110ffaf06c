"""Secrets given by name: filled in when a server is connected to, redacted in what it says."""

import json
import re
from collections.abc import Mapping

from pydantic import JsonValue, SecretStr

from workflows.definitions.credentials import NAMED_SECRET, names_in
from workflows.errors import McpSecretMissing

_LEAST_REDACTED_CHARACTERS = 6


def redact(text: str, values: Mapping[str, str], secrets: Mapping[str, SecretStr]) -> str:
    """The text, with each secret that the values name replaced by its name."""
    for name in {name for value in values.values() for name in names_in(value)}:
        secret = secrets[name].get_secret_value() if name in secrets else ""
        # Shorter ones are in many a word, which would give them away.
        if len(secret) >= _LEAST_REDACTED_CHARACTERS:
            text = text.replace(secret, f"secret:{name}")
            text = text.replace(json.dumps(secret)[1:-1], f"secret:{name}")
    return text


def redact_object(
    document: Mapping[str, JsonValue], values: Mapping[str, str], secrets: Mapping[str, SecretStr]
) -> dict[str, JsonValue]:
    """A JSON object, not nested deeply, with all its texts redacted."""

    def clean(value: JsonValue) -> JsonValue:
        match value:
            case str():
                return redact(value, values, secrets)
            case list():
                return [clean(item) for item in value]
            case dict():
                return redact_object(value, values, secrets)
            case _:
                return value

    return {redact(key, values, secrets): clean(value) for key, value in document.items()}


def resolve(
    server: str, values: Mapping[str, str], secrets: Mapping[str, SecretStr]
) -> dict[str, str]:
    """The values with their secrets filled in. Raises ``McpSecretMissing``."""

    def value_of(match: re.Match[str]) -> str:
        secret = secrets.get(match[1])
        if secret is None:
            raise McpSecretMissing(server=server, secret=match[1])
        return secret.get_secret_value()

    return {name: NAMED_SECRET.sub(value_of, value) for name, value in values.items()}
