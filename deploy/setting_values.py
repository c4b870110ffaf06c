"""Kinds of values that settings have, and when such a value makes no sense."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, Json, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from activities.aes_keys import read_keys
from activities.inputs.policy import HostPattern
from activities.limits.base import Bounds
from activities.llm.base import Price
from activities.sandbox.backends import BACKENDS
from activities.tools.mcp.grants import Grant
from deploy.worker_address import DEFAULT_ADDRESS, OFF, check_address
from workflows.definitions.agent import MAX_TOKENS
from workflows.errors import BadInput

MIN_CONTEXT_TOKENS = 1_000
MIN_TOKEN_CHARACTERS = 20
DAY_SECONDS = 86_400.0
YEAR_SECONDS = 365 * DAY_SECONDS

# More than any machine has. What is beyond them would fail in a library or in the kernel, later
# and in words that name no setting.
MOST = 1_000_000_000
MOST_MIB = 1_073_741_824  # 1 PiB
MOST_WARM = 64  # sandboxes: each has one of 500 users
MOST_PROCESSES = 4_194_304  # what Linux can number
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{1,61}[A-Za-z0-9]")  # as S3 has ever had them
_REGION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")  # as our client takes them

Value = TypeVar("Value")
Secret = TypeVar("Secret", SecretStr, SecretStr | None)


def senseless(reason: str) -> PydanticCustomError:
    """What a validator raises, with why the value makes no sense."""
    return PydanticCustomError("setting", "{reason}", {"reason": reason})


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        # Those around it, urlsplit passes over; whoever is given the URL may not.
        is_sound = is_sound and parts.port != 0 and not _has_blanks(value)
        (parts.hostname or "").encode("idna")  # As whoever asks the host does.
    except ValueError:  # Such as a port that is no number.
        is_sound = False
    if not is_sound:
        raise senseless("it must be a URL, such as https://example.org:8443")
    return value


def _web_url_if_any(value: str) -> str:
    return value and _web_url(value)


def _s3_endpoint(value: str) -> str:
    from activities.store.s3_address import check_endpoint

    _web_url(value)
    try:
        check_endpoint(value)
    except ValueError as error:
        raise senseless(str(error)) from None
    return value


def _region_if_any(value: str) -> str:
    if value and not _REGION.fullmatch(value):
        raise senseless("it must be the name of a region, such as eu-central-1")
    return value


def _database_url(value: str) -> str:
    # Within it, a password may have blanks.
    if value != value.strip():
        raise senseless("it must have no blanks around it")
    from activities.store.database_url import usual_url

    try:
        return usual_url(value)
    except ValueError as error:
        raise senseless(str(error)) from None


def _has_blanks(value: str) -> bool:
    return any(character.isspace() for character in value)


def _word(value: str) -> str:
    """A blank that nobody sees would make it another one."""
    if not value or value != value.strip() or not value.isprintable():
        raise senseless("it must be text, and have no blanks around it")
    return value


def _folder(value: object) -> object:
    if isinstance(value, str) and not value.strip():  # It would be the current folder.
        raise senseless("it must be a folder")
    return value


def _present_folders(value: str) -> str:
    """What is loaded from them at the start, cannot come later."""
    missing = [part for part in value.split(os.pathsep) if part and not Path(part).is_dir()]
    if missing:
        raise senseless(f"there is no such folder: {', '.join(missing)}")
    return value


def _bucket(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        raise senseless(
            "it must be the name of a bucket: 3 to 63 letters, digits, dots and hyphens"
        )
    return value


def _sendable(value: Secret) -> Secret:
    """It goes into the head of a request, which takes nothing else."""
    text = "" if value is None else value.get_secret_value()
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise senseless("it must be of letters, digits and signs of ASCII, with no blanks around")
    return value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for host in value:
            HostPattern.parse(host)
    except BadInput as error:
        raise senseless(str(error)) from error
    return value


def _grants(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for grant in value:
            Grant.parse(grant)
    except BadInput as error:
        raise senseless(str(error)) from error
    return value


def _keys(value: SecretStr | None) -> SecretStr | None:
    try:
        if value is not None:
            read_keys(value.get_secret_value())
    except ValueError as error:
        raise senseless(str(error)) from None
    return value


def _token(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value()) < MIN_TOKEN_CHARACTERS:
        raise senseless(f"it must have at least {MIN_TOKEN_CHARACTERS} characters")
    return value


def _worker_address(value: str) -> str:
    try:
        check_address(value)
    except ValueError:
        where = f"it must be an IP address and a port, such as {DEFAULT_ADDRESS}, or {OFF}"
        raise senseless(where) from None
    return value


def _backend(value: str) -> str:
    if value not in BACKENDS:
        raise senseless(f"it must be {' or '.join(map(repr, BACKENDS))}")
    return value


# A variable that is set to nothing counts as one that is not set.
OrNone = Annotated[Value | None, BeforeValidator(lambda value: value or None)]

# Written `a,b,c`. Without NoDecode pydantic-settings would expect JSON.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[Names, AfterValidator(_hosts)]
Grants = Annotated[Names, AfterValidator(_grants)]

WebUrl = Annotated[str, AfterValidator(_web_url)]
WebUrlIfAny = Annotated[str, AfterValidator(_web_url_if_any)]  # Empty where there is none.
S3Endpoint = Annotated[str, AfterValidator(_s3_endpoint)]
RegionIfAny = Annotated[str, AfterValidator(_region_if_any)]  # Empty: that of the endpoint.
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]

Count = Annotated[int, Field(ge=1, le=MOST)]
CountOrZero = Annotated[int, Field(ge=0, le=MOST)]
Mebibytes = Annotated[int, Field(ge=1, le=MOST_MIB)]

Word = Annotated[str, AfterValidator(_word)]
Bucket = Annotated[str, AfterValidator(_bucket)]
Folders = Annotated[str, AfterValidator(_present_folders)]  # Separated as in PATH.
Folder = Annotated[Path, BeforeValidator(_folder)]

WorkerAddress = Annotated[str, AfterValidator(_worker_address)]
Backend = Annotated[str, AfterValidator(_backend)]
Keys = Annotated[OrNone[SecretStr], AfterValidator(_keys)]
Sendable = Annotated[OrNone[SecretStr], AfterValidator(_sendable)]
SendableIfAny = Annotated[SecretStr, AfterValidator(_sendable)]
Token = Annotated[Sendable, AfterValidator(_token)]

ModelLimits = Annotated[Json[Mapping[str, Bounds]], NoDecode]
Prices = Annotated[Json[Mapping[str, Price]], NoDecode]
ContextTokens = Annotated[
    Json[Mapping[str, Annotated[int, Field(ge=MIN_CONTEXT_TOKENS, le=MAX_TOKENS)]]], NoDecode
]
