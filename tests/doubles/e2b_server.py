"""A local double of E2B's service that the real SDK talks to over HTTP.

It follows what E2B's own server does (github.com/e2b-dev/infra): the control plane that makes and
kills sandboxes, and envd, which runs commands and moves files inside one. A sandbox is a folder;
each command runs in a bwrap over that folder, as root or as an ordinary user. As in E2B a command
ends when nobody holds its output any more, what it leaves behind lives on until the sandbox is
killed, and a sandbox that is gone answers 502.
"""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

import uvicorn
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.request import RequestContext
from e2b.envd.filesystem.filesystem_connect import Filesystem, FilesystemASGIApplication
from e2b.envd.filesystem.filesystem_pb import MakeDirRequest, MakeDirResponse
from e2b.envd.process.process_connect import Process, ProcessASGIApplication
from e2b.envd.process.process_pb import (
    ProcessConfig,
    ProcessEvent,
    SendSignalRequest,
    SendSignalResponse,
    StartRequest,
    StartResponse,
)
from protobuf import Oneof
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from tests.doubles.e2b_machine import Command, Machine

ENVD_VERSION = "0.6.7"
PIECE_BYTES = 32 * 1024  # As envd reads it.

Output: TypeAlias = Oneof[Literal["stdout"], bytes] | Oneof[Literal["stderr"], bytes]


class E2BServer:
    """Serves on a free loopback port while it is entered.

    ``create_status`` and ``delete_status``, when changed, are the answer to every such request.
    ``machines`` are the sandboxes that run, ``created`` what was asked for all that ever did, and
    ``creating`` counts the requests for one, which come true while ``may_create`` is set.
    """

    def __init__(self, folder: Path, api_key: str = "e2b_test") -> None:
        self.api_key = api_key
        self.create_status = 201
        self.may_create = asyncio.Event()
        self.may_create.set()
        self.delete_status = 204
        self.creating = 0
        self.created: list[dict[str, Any]] = []
        self.machines: dict[str, Machine] = {}
        self.url = ""
        self._folder = folder

    async def __aenter__(self) -> "E2BServer":
        config = uvicorn.Config(self._app(), port=0, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.005)
        host, port = self._server.servers[0].sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for sandbox_id in list(self.machines):
            await self.kill(sandbox_id)
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving

    async def kill(self, sandbox_id: str) -> None:
        await self.machines.pop(sandbox_id).kill()

    def machine(self, ctx: RequestContext[Any, Any]) -> Machine:
        """The sandbox that an RPC is for.

        Raises:
            ConnectError: it is gone, or the caller does not hold its token.
        """
        machine = self.machines.get(ctx.request_headers.get("e2b-sandbox-id") or "")
        if machine is None:
            raise ConnectError(Code.UNAVAILABLE, "The sandbox was not found")
        if ctx.request_headers.get("x-access-token") != machine.token:
            raise ConnectError(Code.UNAUTHENTICATED, "unauthorized")
        return machine

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v2/sandboxes", self._create, methods=["POST"]),
                Route("/sandboxes/{id}", self._delete, methods=["DELETE"]),
                Route("/sandboxes/{id}/network", self._network, methods=["PUT"]),
                Route("/files", self._files, methods=["GET", "POST"]),
                Route("/health", self._health),
                Mount("/process.Process", ProcessASGIApplication(_Processes(self))),
                Mount("/filesystem.Filesystem", FilesystemASGIApplication(_Folders(self))),
            ]
        )

    async def _create(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        wanted = await request.json()
        self.creating += 1
        await self.may_create.wait()
        if self.create_status != 201:
            return _error(self.create_status, "as the test wishes")
        sandbox_id = uuid.uuid4().hex
        internet = wanted.get("allow_internet_access", True)
        machine = Machine(self._folder / sandbox_id, internet=internet, token=uuid.uuid4().hex)
        self.machines[sandbox_id] = machine
        self.created.append(wanted)
        answer = {
            "templateID": wanted["templateID"],
            "sandboxID": sandbox_id,
            "clientID": "-",
            "envdVersion": ENVD_VERSION,
            "envdAccessToken": machine.token,
        }
        return JSONResponse(answer, 201)

    async def _delete(self, request: Request) -> Response:
        if refused := self._refused(request) or self._missing(request):
            return refused
        if self.delete_status != 204:
            return _error(self.delete_status, "as the test wishes")
        await self.kill(request.path_params["id"])
        return Response(status_code=204)

    async def _network(self, request: Request) -> Response:
        if refused := self._refused(request) or self._missing(request):
            return refused
        wanted = await request.json()
        self.machines[request.path_params["id"]].internet = wanted["allow_internet_access"]
        return Response(status_code=204)

    async def _files(self, request: Request) -> Response:
        machine = self.machines.get(request.headers.get("e2b-sandbox-id", ""))
        if machine is None:
            return _error(502, "The sandbox was not found")
        if request.headers.get("x-access-token") != machine.token:
            return _error(401, "unauthorized")
        path = request.query_params["path"]
        if request.method == "POST":
            if request.headers["content-type"] != "application/octet-stream":
                return _error(400, "the double takes plain uploads only")
            await machine.write(path, request.stream())
            name = PurePosixPath(path).name
            return JSONResponse([{"path": path, "name": name, "type": "file"}])
        if not machine.outside(path).is_file():
            return _error(404, f"path '{path}' does not exist")
        return FileResponse(machine.outside(path))

    async def _health(self, request: Request) -> Response:
        if request.headers.get("e2b-sandbox-id") not in self.machines:
            return _error(502, "The sandbox was not found")
        return Response(status_code=204)

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("x-api-key") == self.api_key:
            return None
        return _error(401, "Invalid API key")

    def _missing(self, request: Request) -> Response | None:
        if request.path_params["id"] in self.machines:
            return None
        return _error(404, "sandbox not found")


class _Processes(Process):
    """envd's commands. One goes on when its caller hangs up."""

    def __init__(self, server: E2BServer) -> None:
        self._server = server

    async def start(
        self, request: StartRequest, ctx: RequestContext[StartRequest, StartResponse], /
    ) -> AsyncIterator[StartResponse]:
        machine = self._server.machine(ctx)
        wanted = request.process or ProcessConfig()
        if not machine.outside(wanted.cwd or "/").is_dir():
            raise ConnectError(Code.INVALID_ARGUMENT, f"cwd '{wanted.cwd}' does not exist")
        command = await machine.start(
            [wanted.cmd, *wanted.args], user=_user(ctx), environment=wanted.envs, cwd=wanted.cwd
        )
        started = ProcessEvent.StartEvent(pid=command.process.pid)
        yield StartResponse(event=ProcessEvent(event=Oneof("start", started)))
        async for output in _merged(command):
            data = ProcessEvent.DataEvent(output=output)
            yield StartResponse(event=ProcessEvent(event=Oneof("data", data)))
        if machine.dead:
            reason = "the connection to the sandbox ended before the stream completed"
            raise ConnectError(Code.UNAVAILABLE, reason)
        yield StartResponse(event=ProcessEvent(event=Oneof("end", await _end(command))))

    async def send_signal(
        self,
        request: SendSignalRequest,
        ctx: RequestContext[SendSignalRequest, SendSignalResponse],
        /,
    ) -> SendSignalResponse:
        selector = request.process.selector if request.process else None
        command = self._server.machine(ctx).commands.get(int(selector.value) if selector else 0)
        if command is None:
            raise ConnectError(Code.NOT_FOUND, "process not found")
        await command.kill()
        return SendSignalResponse()


class _Folders(Filesystem):
    """What of envd's file system does not go through ``/files``."""

    def __init__(self, server: E2BServer) -> None:
        self._server = server

    async def make_dir(
        self, request: MakeDirRequest, ctx: RequestContext[MakeDirRequest, MakeDirResponse], /
    ) -> MakeDirResponse:
        try:
            self._server.machine(ctx).outside(request.path).mkdir(parents=True)
        except FileExistsError as error:
            raise ConnectError(Code.ALREADY_EXISTS, request.path) from error
        return MakeDirResponse()


async def _merged(command: Command) -> AsyncIterator[Output]:
    """The pieces of both streams as they come, to the end of both."""
    pieces: asyncio.Queue[Output | None] = asyncio.Queue(maxsize=8)

    async def read(stream: asyncio.StreamReader, told: Callable[[bytes], Output]) -> None:
        while piece := await stream.read(PIECE_BYTES):
            await pieces.put(told(piece))
        await pieces.put(None)

    readers = [
        asyncio.create_task(read(command.stdout, lambda piece: Oneof("stdout", piece))),
        asyncio.create_task(read(command.stderr, lambda piece: Oneof("stderr", piece))),
    ]
    try:
        for _ in readers:
            while (piece := await pieces.get()) is not None:
                yield piece
    finally:
        for reader in readers:
            reader.cancel()


async def _end(command: Command) -> ProcessEvent.EndEvent:
    code = await command.status.read()
    if command.killed or not code:
        killed = "signal: killed"
        return ProcessEvent.EndEvent(exit_code=-1, exited=False, status=killed, error=killed)
    status = f"exit status {int(code)}"
    return ProcessEvent.EndEvent(
        exit_code=int(code), exited=True, status=status, error=status if int(code) else None
    )


def _user(ctx: RequestContext[StartRequest, StartResponse]) -> str:
    """The user in basic authentication, which envd takes without a password."""
    encoded = ctx.request_headers.get("authorization", "").removeprefix("Basic ")
    return base64.b64decode(encoded).decode().rstrip(":") or "user"


def _error(status: int, message: str) -> Response:
    return JSONResponse({"code": status, "message": message}, status)
