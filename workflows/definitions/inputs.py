"""References to the inputs of a task, as people write them, taken apart.

``file:<id>``, ``artifact:<id>``, ``s3://bucket/key`` or ``https://host/path``. What a reference
says is all that is judged here; whether it may be fetched is for ``activities.inputs``.
"""

import re
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from workflows.errors.inputs import InputRefMalformed

MAX_INPUTS = 64
MAX_CHARACTERS = 4_096  # Long enough for a presigned URL with a session token.
HTTPS_PORT = 443
_MAX_KEY_BYTES = 1_024  # S3's own limit.
_MAX_HOST_CHARACTERS = 253  # RFC 1035
_SHOWN_CHARACTERS = 120

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})*)\.?|\[([0-9a-f:.]+)\]", re.IGNORECASE)
_URL = re.compile(r"(?P<authority>[^/?#]*)(?P<target>[^#]*)")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class FileRef:
    """An uploaded file."""

    id: UUID

    def __str__(self) -> str:
        return f"file:{self.id}"


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A file that a task made."""

    id: UUID

    def __str__(self) -> str:
        return f"artifact:{self.id}"


@dataclass(frozen=True, slots=True)
class S3Ref:
    """An object in a bucket of the S3 store."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class HttpsRef:
    """A URL. ``host`` is in lower case, without brackets; ``target`` is path and query, encoded."""

    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """As the ``Host`` header has it: without the port when that is 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.authority}{self.target}"

    def __str__(self) -> str:
        """Without the query: it may hold the signature of a presigned URL, which is a secret."""
        return _without_secrets(self.url)


InputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]

InputRef = FileRef | ArtifactRef | S3Ref | HttpsRef


def as_kept(text: str) -> str:
    """A reference as rows have it, in which those are looked for that name a file: an id has small
    letters. Anything else stays as it is."""
    scheme, _, rest = text.partition(":")
    is_by_id = scheme.lower() in ("file", "artifact") and _UUID.fullmatch(rest)
    return text.lower() if is_by_id else text


WrittenRef = Annotated[str, AfterValidator(as_kept)]


def parse(text: str) -> InputRef:
    """Take a reference apart.

    Raises:
        InputRefMalformed: it is none of the four forms; says why.
    """
    if len(text) > MAX_CHARACTERS:
        raise _malformed(text, f"it has {len(text)} characters, more than {MAX_CHARACTERS}")
    if not text.isprintable():
        raise _malformed(text, "it holds a control character or another that cannot be printed")
    scheme, colon, rest = text.partition(":")
    match scheme.lower() if colon else "":
        case "file":
            return FileRef(_parse_id(text, rest))
        case "artifact":
            return ArtifactRef(_parse_id(text, rest))
        case "s3":
            return _parse_s3(text, rest)
        case "https":
            return _parse_https(text, rest)
        case "http":
            raise _malformed(text, "http:// is neither encrypted nor authentic; use https://")
        case _:
            raise _malformed(text, "it begins with none of file:, artifact:, s3:// and https://")


def _parse_id(text: str, rest: str) -> UUID:
    if not _UUID.fullmatch(rest):
        raise _malformed(text, "what follows the colon is not an id (a UUID)")
    return UUID(rest)


def _parse_s3(text: str, rest: str) -> S3Ref:
    bucket, slash, key = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not _BUCKET.fullmatch(bucket):
        raise _malformed(text, "s3:// must be followed by the name of a bucket")
    if not slash or not key:
        raise _malformed(text, "the key of the object is missing after the bucket")
    if len(key.encode()) > _MAX_KEY_BYTES:
        raise _malformed(text, f"its key has more than {_MAX_KEY_BYTES} bytes")
    # HTTP clients and servers resolve them: `s3://allowed/../other/x` would leave the bucket.
    if any(segment in (".", "..") for segment in key.split("/")):
        raise _malformed(text, "its key has a '.' or '..' between slashes")
    return S3Ref(bucket, key)


def _parse_https(text: str, rest: str) -> HttpsRef:
    # Some clients read a backslash as a slash; a URL that two readers take apart differently can
    # pass a check for one host and be fetched from another.
    if not rest.startswith("//") or "\\" in rest or " " in rest:
        raise _malformed(text, "it is not a URL: it needs https:// and no space or backslash")
    url = _URL.match(rest, 2)
    assert url is not None  # Both groups may be empty.
    if "@" in url["authority"]:
        raise _malformed(text, "a URL must not hold credentials")
    authority = _AUTHORITY.fullmatch(url["authority"])
    host = authority and _HOST.fullmatch(authority["host"])
    if not authority or not host or len(authority["host"]) > _MAX_HOST_CHARACTERS:
        raise _malformed(text, "its host is not a name in ASCII (write xn--... for others)")
    port = int(authority["port"] or HTTPS_PORT)
    if not 0 < port < 2**16:
        raise _malformed(text, "its port is not between 1 and 65535")
    target = url["target"] if url["target"].startswith("/") else f"/{url['target']}"
    return HttpsRef((host[1] or host[2]).lower(), port, _encoded(target))


def _encoded(target: str) -> str:
    """Printable ASCII stays as it is: that is encoded already, or needs not be."""
    return re.sub("[^!-~]", lambda odd: "".join(f"%{byte:02X}" for byte in odd[0].encode()), target)


def _malformed(text: str, reason: str) -> InputRefMalformed:
    return InputRefMalformed(ref=_without_secrets(text), reason=reason)


def _without_secrets(text: str) -> str:
    shown = re.sub(r"//[^/?#]*@", "//...@", text.partition("?")[0])
    if "?" in text:
        shown += "?..."
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."


def environment_name(name: str) -> str:
    """The variable that tells where an input is: ``sales-2024.csv`` gives INPUT_SALES_2024_CSV."""
    return "INPUT_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
