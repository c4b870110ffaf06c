"""Secrets by name: how a configuration names them, and how it is told that it holds one itself."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from urllib.parse import parse_qsl

from pydantic import JsonValue, SecretStr

from workflows.errors import McpSecretMissing

_NAMED = re.compile(r"\bsecret:([A-Z][A-Z0-9_]{0,99})\b")

_LEAST_REDACTED_CHARACTERS = 6

_CREDENTIAL_NAME = re.compile(
    r"(?i)(authori[sz]ation|cookie|token|secret|passw(or)?d|passphrase|credential"
    r"|api[-_]?key|access[-_]?key|private[-_]?key|(^|[-_])(auth|pat)$)"
)

_CREDENTIAL_OPTION = re.compile(
    r"(?i)--?([a-z0-9]+[-_])*(token|secret|passw(or)?d|passphrase|(api|access)[-_]?key)"
)

# Prefixes that issuers gave their tokens so that scanners find them, and a few plain forms.
_CREDENTIAL_VALUE = re.compile(
    r"""(?x)
    (?i:\b(bearer|basic)\s+[a-z0-9+/=._~-]{6,})
    | \b(sk|pk|rk)[-_][A-Za-z0-9_-]{16,}         # OpenAI, Anthropic, Stripe
    | \bgh[pousr]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,} | \bglpat-[\w-]{16,}
    | \bxox[abeoprs]-[\w-]{10,}                  # Slack
    | \b(AKIA|ASIA)[A-Z0-9]{16}\b                # AWS
    | \bAIza[\w-]{30,}                           # Google
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*          # JSON Web Token
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY
    | ://[^/\s:@]+:[^/\s@]+@                     # user:password in a URL
    | (?i:[?&;\s-](token|api[-_]?key|secret|password|access[-_]?key)=[^\s&]{6,})
    | (?i:^(token|api[-_]?key|secret|password|access[-_]?key)=[^\s&]{6,})
    """
)


def names_in(value: str) -> list[str]:
    """The secrets that a value names as ``secret:NAME``."""
    return _NAMED.findall(value)


def is_credential_name(name: str) -> bool:
    """Whether a variable or header of this name usually holds a secret."""
    return _CREDENTIAL_NAME.search(name) is not None


def looks_like_credential(text: str) -> bool:
    """Whether a text has the form of a token, a key or a password."""
    return _CREDENTIAL_VALUE.search(text) is not None


def has_credential_option(words: Sequence[str]) -> bool:
    """Whether a command line gives a secret as the word after its option: ``--token abc``."""
    return any(
        _CREDENTIAL_OPTION.fullmatch(option) and not value.startswith("-")
        for option, value in pairwise(words)
    )


def has_credential_parameter(query: str) -> bool:
    """Whether the query of a URL has a parameter that usually holds a secret."""
    return any(is_credential_name(name) and value for name, value in parse_qsl(query))


def redact(text: str, values: Mapping[str, str], secrets: Mapping[str, SecretStr]) -> str:
    """A text in which the secrets that the values name are named as well, instead of told."""
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

    return {name: _NAMED.sub(value_of, value) for name, value in values.items()}
