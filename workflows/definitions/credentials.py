"""How a definition names a secret, and how to tell that it holds one itself."""

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import parse_qsl

NAMED_SECRET = re.compile(r"\bsecret:([A-Z][A-Z0-9_]{0,99})\b")

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
    return NAMED_SECRET.findall(value)


def is_credential_name(name: str) -> bool:
    """Whether a variable or header of this name usually holds a secret."""
    return _CREDENTIAL_NAME.search(name) is not None


def looks_like_credential(text: str) -> bool:
    """Whether a text has the form of a token, a key or a password."""
    return _CREDENTIAL_VALUE.search(text) is not None


def without_credentials(text: str) -> str:
    """The text with ``***`` in place of what has the form of a credential."""
    return _CREDENTIAL_VALUE.sub("***", text)


def has_credential_option(words: Sequence[str]) -> bool:
    """Whether a command line gives a secret as the word after its option: ``--token abc``."""
    return any(
        _CREDENTIAL_OPTION.fullmatch(option) and not value.startswith("-")
        for option, value in pairwise(words)
    )


def has_credential_parameter(query: str) -> bool:
    """Whether the query of a URL has a parameter that usually holds a secret."""
    return any(is_credential_name(name) and value for name, value in parse_qsl(query))
