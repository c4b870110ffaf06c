"""Registering an MCP server with a form, which keeps what was typed when it is refused."""

import shlex
from collections.abc import Mapping

from fastapi import Request, Response
from pydantic import JsonValue
from starlette.datastructures import FormData

from api.errors import InvalidRequest, RequestRefused
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes.tools import register_tools
from api.web.page import fields_of, pages, render, see_other
from api.wire.requests import ToolRegistration
from workflows.pointers import Problem

router = pages()

_FIELDS = ("name", "command", "url", "env", "headers", "description", "permission_level")
_TEMPLATE = "tools/new_server.html"


@router.get("/tools/servers/new")
async def new_server_page(request: Request) -> Response:
    """Ask what it is and where."""
    return render(request, _TEMPLATE, given={}, problems={}, refusal="")


@router.post("/tools/servers/new")
async def register(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Register it, or say what is wrong beside what is."""
    fields = await fields_of(request)
    try:
        wanted = checked(ToolRegistration, _document(fields))
        made = await register_tools(wanted, services, actor, request)
    except InvalidRequest as error:
        problems = {_field_of(each): each.message for each in error.problems}
        return _refused(request, fields, problems, problems.pop("", ""), error.status)
    except RequestRefused as error:
        return _refused(request, fields, {}, str(error), error.status)
    return see_other(f"/tools/{made.server.name}")


def _refused(
    request: Request, fields: FormData, problems: Mapping[str, str], refusal: str, status: int
) -> Response:
    given = {name: str(fields.get(name, "")) for name in (*_FIELDS, "transport")}
    return render(
        request, _TEMPLATE, status=status, given=given, problems=problems, refusal=refusal
    )


def _document(fields: FormData) -> dict[str, JsonValue]:
    """What a client would send. What belongs to the other transport is left out."""
    given = {name: str(fields.get(name, "")).strip() for name in _FIELDS}
    is_program = str(fields.get("transport", "stdio")) == "stdio"
    document: dict[str, JsonValue] = {
        "name": given["name"],
        "transport": "stdio" if is_program else "http",
        "description": given["description"],
    }
    if given["permission_level"]:
        document["permission_level"] = given["permission_level"]
    if is_program:
        command, *args = _words(given["command"]) or [""]
        document |= {"command": command, "args": [*args], "env": {**_pairs(given["env"], "env")}}
    else:
        headers = _pairs(given["headers"], "headers")
        document |= {"url": given["url"], "headers": {**headers}}
    return document


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise InvalidRequest([Problem("/command", f"it cannot be read: {error}")]) from error


def _pairs(text: str, field: str) -> dict[str, str]:
    """Lines of ``NAME=VALUE`` or ``Name: value``."""
    pairs: dict[str, str] = {}
    sign = "=" if field == "env" else ":"
    for number, line in enumerate(text.splitlines(), 1):
        name, found, value = line.partition(sign)
        if line.strip() and not found:
            message = f"line {number} has no {sign!r} between name and value"
            raise InvalidRequest([Problem(f"/{field}", message)])
        if line.strip():
            pairs[name.strip()] = value.strip()
    return pairs


def _field_of(problem: Problem) -> str:
    """The field of the form that a problem is about."""
    name = problem.pointer.strip("/").partition("/")[0]
    name = "command" if name in {"args", "cwd"} else name
    return name if name in _FIELDS else ""
