"""The URL of a database: what it may say, and how each of the two who read it is told.

SQLAlchemy gives each parameter behind the question mark to asyncpg as an argument, which has none
for TLS but ``ssl``. asyncpg itself takes them as libpq names them, and what it does not know for a
setting of the session.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVER = "postgresql+asyncpg"
_WITH_DRIVER = f"{DRIVER}://"
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey")
_TLS = ("sslmode", *_FILES)
_KNOWN = ("host", "port", *_TLS)
_PLAIN = "postgresql://"  # as asyncpg wants it
_HIGHEST_PORT = 65_535
_AS_HANDED_OUT = re.compile(r"postgres(ql)?://")  # as libpq has it, and whoever offers databases


def usual_url(text: str) -> str:
    """The same database for SQLAlchemy with asyncpg, with ``ssl``, as SQLAlchemy has it, under the
    name of libpq.

    Raises:
        ValueError: it can be read by none, or says what nobody would obey. Nothing of it is quoted
            but names and files: it may hold a password.
    """
    text = _AS_HANDED_OUT.sub(_WITH_DRIVER, text, count=1) if _AS_HANDED_OUT.match(text) else text
    url = _parsed(text)
    if "ssl" in url.query and "sslmode" not in url.query:
        url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": url.query["ssl"]})
        text = url.render_as_string(hide_password=False)
    unknown = sorted(url.query.keys() - set(_KNOWN))
    if unknown:
        known = ", ".join(_KNOWN)
        raise ValueError(f"{unknown[0]!r} is not understood behind the question mark, but {known}")
    if str(url.query.get("sslmode", "prefer")) not in _MODES:
        raise ValueError(f"sslmode must be one of {', '.join(_MODES)}")
    for name in _FILES:
        if name in url.query and not Path(str(url.query[name])).is_file():
            raise ValueError(f"{name} must be a file, such as /etc/ssl/certs/ca-certificates.crt")
    return text


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
        (url.host or "").encode("idna")  # As whoever asks the host does.
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername != DRIVER or not all(map(_is_port, _ports(url))):
        raise ValueError(f"it must be a URL, such as {DRIVER}://user:password@host:5432/name")
    return url


def _ports(url: URL) -> Sequence[str]:
    return [*([] if url.port is None else [str(url.port)]), *url.normalized_query.get("port", ())]


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) <= _HIGHEST_PORT


def engine_arguments(url: str) -> tuple[URL, dict[str, Any]]:
    """The URL for SQLAlchemy, and what is to be given to asyncpg beside it."""
    parsed = make_url(url)
    tls = {name: str(parsed.query[name]) for name in _TLS if name in parsed.query}
    given = {"dsn": f"{_PLAIN}?{urlencode(tls)}"} if tls else {}
    return parsed.difference_update_query(_TLS), given


def driver_url(url: str) -> str:
    """The same database for asyncpg itself, to listen on a connection that is in no pool."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
