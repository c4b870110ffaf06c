"""What keeps us from Temporal, in words: its client prints the insides of its libraries."""

import re
from collections.abc import Awaitable, Callable

from temporalio.client import Client

from workflows.errors import TemporaryFailure

Connect = Callable[[], Awaitable[Client]]

_STRANGER = "what answers there may be no Temporal, or one that wants TLS"
# The first that is found counts.
_SIGNS = (
    ("Connection refused", "nothing listens there"),
    ("failed to lookup address", "there is no host of this name"),
    ("InvalidContentType", "it speaks no TLS, which it is asked for"),
    ("NotValidForName", "its certificate is for another name"),
    ("InvalidCertificate", "no authority that is trusted here has signed its certificate"),
    ("PrivateKeyParseError", "the private key of the client cannot be read"),
    ("H2NotNegotiated", "what listens there is no Temporal"),
    ("BrokenPipe", _STRANGER),
    ("ConnectionReset", _STRANGER),
    ("h2 protocol error", _STRANGER),
    ("connection closed", f"it hung up; {_STRANGER}, or a client certificate"),
)
_MESSAGE = re.compile(r'message: "([^"]{1,200})"')
_MOST_CHARACTERS = 200


async def connected(connect: Connect) -> Client:
    """One attempt.

    Raises:
        TemporaryFailure: Temporal cannot be reached.
        SettingsInvalid: nobody could reach it like that.
    """
    try:
        return await connect()
    except RuntimeError as error:  # The client raises a bare one.
        raise TemporaryFailure(service="Temporal", reason=in_words(str(error))) from error


def in_words(said: str) -> str:
    known = [words for sign, words in _SIGNS if sign in said]
    quoted = _MESSAGE.findall(said)
    return (known or quoted or [said[:_MOST_CHARACTERS]])[0]
