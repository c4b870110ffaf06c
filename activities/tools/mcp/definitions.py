"""The definitions of tools as servers send them, mended where their meaning is plain.

The SDK takes a list of tools as a whole or not at all. So each definition is looked at before: what
it says too little of is added, and in place of one that nobody can call stands a note why.
"""

from collections.abc import Mapping
from typing import Any

from mcp.shared.inbound import find_invalid_x_mcp_header

from activities.tools.mcp.bounds import parsed_text

LEFT_OUT = "agentos/left-out"
"""In ``_meta``: why a tool is left out. A server's own ``_meta`` is not passed on."""

_NO_ARGUMENTS: Mapping[str, Any] = {"type": "object"}
_TASK_ONLY = "it can be called as a background task only, which AgentOS does not do"
# As other interfaces call it.
_SCHEMA_KEYS = ("inputSchema", "input_schema", "parameters")
_HINTS = ("title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_SHOWN_CHARACTERS = 100
_MODERN_FIELDS: Mapping[str, type] = {"_meta": dict, "ttlMs": int, "cacheScope": str}


class _LeftOut(Exception):
    """Why nobody can call a tool."""


def mended_listing(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of ``tools/list`` as the protocol has it. No list is an empty one."""
    mended = dict(result)
    given = result.get("tools")
    if isinstance(given, dict):  # By name.
        given = [
            {"name": name, **tool} if isinstance(tool, dict) else tool
            for name, tool in given.items()
        ]
    for key, kind in _MODERN_FIELDS.items():
        if key in mended and not isinstance(mended[key], kind):
            del mended[key]
    if given is None or isinstance(given, list):
        is_modern = "resultType" in result
        mended["tools"] = [
            _tool(tool, number, is_modern=is_modern) for number, tool in enumerate(given or (), 1)
        ]
    cursor = mended.pop("nextCursor", None)
    if cursor not in (None, ""):  # Empty, it would be asked for the first page again.
        mended["nextCursor"] = str(cursor)
    return mended


def _tool(given: Any, number: int, *, is_modern: bool) -> dict[str, Any]:
    if isinstance(given, dict) and isinstance(given.get("function"), dict):
        given = given["function"]  # As models are told of tools.
    name = given.get("name") if isinstance(given, dict) else None
    try:
        if not isinstance(given, dict):
            raise _LeftOut("it is no object")
        if not isinstance(name, str) or not name:
            raise _LeftOut("it has no name")
        tool = {"name": name, "inputSchema": _schema(given), "annotations": _hints(given)}
        if is_modern and (fault := find_invalid_x_mcp_header(tool["inputSchema"])) is not None:
            raise _LeftOut(f"its x-mcp-header is not valid: {fault}")
        if _task_support(given) == "required":
            raise _LeftOut(_TASK_ONLY)
    except _LeftOut as reason:
        shown = name if isinstance(name, str) and name else f"tool {number}"
        meta = {LEFT_OUT: str(reason)}
        return {"name": shown, "inputSchema": dict(_NO_ARGUMENTS), "_meta": meta}
    texts = {key: given[key] for key in ("title", "description") if isinstance(given.get(key), str)}
    return tool | texts


def _schema(given: Mapping[str, Any]) -> dict[str, Any]:
    schema = next((given[key] for key in _SCHEMA_KEYS if given.get(key) is not None), None)
    if isinstance(schema, str):
        schema = _parsed(schema)
    if schema is None or schema is True or schema == []:  # PHP writes an empty object like this.
        return dict(_NO_ARGUMENTS)
    if not isinstance(schema, dict):
        raise _LeftOut("its schema is no object")
    mended = {key: value for key, value in schema.items() if not _says_nothing(key, value)}
    kind = mended.setdefault("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        raise _LeftOut(f"its arguments are of type {_shown(kind)}, and not an object")
    mended["type"] = "object"
    _check_properties(mended.get("properties", {}))
    required = mended.get("required", [])
    if not isinstance(required, list) or not all(isinstance(item, str) for item in required):
        raise _LeftOut("`required` in its schema is no list of names")
    return mended


def _parsed(text: str) -> Any:
    try:
        return parsed_text(text)
    except (ValueError, RecursionError):
        return text


def _says_nothing(key: str, value: Any) -> bool:
    match key:
        case "type":
            return value in (None, "", [])
        case "properties":
            return value in (None, [])
        case "required":
            return value is None or isinstance(value, bool)
        case "$schema":
            return not isinstance(value, str)
    return False


def _check_properties(properties: Any) -> None:
    if not isinstance(properties, dict):
        raise _LeftOut("`properties` in its schema is no object")
    for name, schema in properties.items():
        if not isinstance(schema, (dict, bool)):
            raise _LeftOut(f"the schema of its argument {_shown(name)} is no object")


def _hints(given: Mapping[str, Any]) -> dict[str, Any]:
    """Only those that are what they must be: one that is not is no promise."""
    hints = given.get("annotations")
    if not isinstance(hints, dict):
        return {}
    kinds = {key: str if key == "title" else bool for key in _HINTS}
    return {key: hints[key] for key, kind in kinds.items() if isinstance(hints.get(key), kind)}


def _task_support(given: Mapping[str, Any]) -> object:
    execution = given.get("execution")
    return execution.get("taskSupport") if isinstance(execution, dict) else None


def _shown(value: object) -> str:
    return ascii(value)[:_SHOWN_CHARACTERS]
