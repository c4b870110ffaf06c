"""What servers answer to our requests, as the protocol has it, where its meaning is plain.

The SDK takes an answer as a whole or not at all, and its words for that help nobody. Tools have a
module of their own, ``definitions``.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from activities.mime_types import UNKNOWN_TYPE
from activities.tools.mcp.definitions import mended_listing

Json = dict[str, Any]

_FIRST_VERSION = HANDSHAKE_PROTOCOL_VERSIONS[0]
_SHOWN_CHARACTERS = 40
_WORDS = "text"
# As results say in which way they are one, and of what is no concern of ours.
_NO_CONTENT = frozenset({"_meta", "isError", "resultType"})
_SWITCHES = ("listChanged", "subscribe")


class Unusable(Exception):
    """Why an answer cannot be used, in our own words."""


def mended_answer(method: str, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a request; the same object if nothing had to be mended. Raises ``Unusable``."""
    mend = _MENDS.get(method)
    return result if mend is None else mend(result)


def _greeting(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer to ``initialize``."""
    version = result.get("protocolVersion")
    if not isinstance(version, str):  # It says nothing of what came later.
        version = _FIRST_VERSION
    if version not in HANDSHAKE_PROTOCOL_VERSIONS:
        known = f"{_FIRST_VERSION} to {HANDSHAKE_PROTOCOL_VERSIONS[-1]}"
        shown = ascii(version)[:_SHOWN_CHARACTERS]
        raise Unusable(f"it speaks version {shown} of the protocol, and AgentOS {known}")
    info = result.get("serverInfo")
    named = info if isinstance(info, dict) else {}
    greeting: Json = {
        "protocolVersion": version,
        "capabilities": _capabilities(result.get("capabilities")),
        "serverInfo": {key: str(named.get(key) or "unknown") for key in ("name", "version")},
    }
    if isinstance(result.get("instructions"), str):
        greeting["instructions"] = result["instructions"]
    return greeting


def _capabilities(given: object) -> Json:
    """Each is an object, which many a server writes as true, or PHP as an empty list."""
    found = given.items() if isinstance(given, dict) else ()
    return {
        name: _switches(value) if isinstance(value, dict) else {}
        for name, value in found
        if value is True or isinstance(value, dict) or value == []
    }


def _switches(capability: Json) -> Json:
    return {
        key: value
        for key, value in capability.items()
        if key not in _SWITCHES or isinstance(value, bool)
    }


def _called(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer to ``tools/call``."""
    if "inputRequests" in result or result.get("resultType") == "input_required":
        return result
    mended = {key: value for key, value in result.items() if key != "_meta"}
    if not isinstance(mended.get("isError"), (bool, str)):
        mended.pop("isError", None)
    if "toolResult" in mended and "content" not in mended:  # Before November 2024.
        mended["content"] = [_words(mended.pop("toolResult"))]
    content = mended.get("content")
    if isinstance(content, dict):
        content = [content]
    structured = mended.get("structuredContent")
    if structured is not None and not isinstance(structured, dict):
        content = content or [_words(structured)]
        del mended["structuredContent"]
    if content is None and (structured is not None or not mended.keys() - _NO_CONTENT):
        content = []
    if isinstance(content, list):
        mended["content"] = [part for item in content if (part := _part(item)) is not None]
    return result if mended == result else mended


def _words(value: object) -> Json:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"type": _WORDS, "text": text}


def _part(given: object) -> Json | None:
    """A part of a result. None for one that is nothing."""
    if given is None:
        return None
    if not isinstance(given, dict):
        return _words(given)
    kind = given.get("type", _WORDS if "text" in given else None)
    make = _PARTS.get(kind) if isinstance(kind, str) else None
    part = None if make is None else make(given)
    if part is None and isinstance(kind, str):
        shown = ascii(kind)[:_SHOWN_CHARACTERS]
        part = _words(f"[a part of the answer was left out: it is no sound one of type {shown}]")
    return part or _words(given)


def _text(given: Json) -> Json:
    if "text" not in given:
        return given  # Which is none.
    text = given["text"]
    return _words("" if text is None else text)


def _media(given: Json) -> Json | None:
    data, mime_type = given.get("data"), given.get("mimeType") or given.get("mime_type")
    if not isinstance(data, str):
        return None
    if data.startswith("data:"):  # A whole URL, as for a page.
        head, _, data = data.partition(",")
        mime_type = mime_type or head.removeprefix("data:").partition(";")[0]
    return {"type": given["type"], "data": data, "mimeType": str(mime_type or UNKNOWN_TYPE)}


def _link(given: Json) -> Json | None:
    uri, kind = given.get("uri"), given.get("mimeType")
    if not isinstance(uri, str):
        return None
    link = {"type": given["type"], "uri": uri, "name": str(given.get("name") or _name_in(uri))}
    return link | ({"mimeType": kind} if isinstance(kind, str) else {})


def _resource(given: Json) -> Json | None:
    held = given.get("resource")
    if not isinstance(held, dict):
        return None
    uri, kind, blob = held.get("uri"), held.get("mimeType"), held.get("blob")
    resource: Json = {"uri": uri if isinstance(uri, str) else "unknown:"}
    resource |= {"mimeType": kind} if isinstance(kind, str) else {}
    resource |= {"blob": blob} if isinstance(blob, str) else {"text": str(held.get("text") or "")}
    return {"type": given["type"], "resource": resource}


def _name_in(uri: str) -> str:
    try:
        return urlsplit(uri).path.rstrip("/").rpartition("/")[2] or uri
    except ValueError:
        return uri


_PARTS: Mapping[str, Callable[[Json], Json | None]] = MappingProxyType(
    {
        "text": _text,
        "image": _media,
        "audio": _media,
        "resource_link": _link,
        "resource": _resource,
    }
)
_MENDS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = MappingProxyType(
    {"initialize": _greeting, "tools/list": mended_listing, "tools/call": _called}
)
