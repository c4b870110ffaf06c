"""A process that has loaded what API and workers need, and forks them: ``python -m
deploy.local.fork_server DESCRIPTOR PARENT``.

To load it takes two seconds of a processor, and is done once for all of them; what is loaded is in
memory once. It runs nothing of what it has loaded, starts no thread and knows no setting, so that a
fork is what a fresh interpreter would be after its imports, for as long as the files are those that
it has loaded: so it forks at the start of a stack, and never later (``forking.py``). Forks have one
layout of addresses and one seed of hashes: who learns them of one knows them of its siblings, which
are of the same user.

At the other end of the descriptor is ``ForkProcess`` (``fork_process.py``). With each byte come
three descriptors: a channel, the output and the lock of the data folder. On the channel we say that
we would fork, and are told to. The child, which is one of our parent, writes its pid there and
reads what it is to be. If that does not come whole, nobody waits for it.
"""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from api import garbage_collector
from deploy import variables
from deploy.local import proc_names
from deploy.local.fork_protocol import DESCRIPTORS, END, GO, LOADED, PID
from deploy.local.launcher import die_with
from deploy.local.sibling import fork_for
from workflows.discovery import modules_of

_CHUNK_BYTES = 65_536

# What both load before they serve; the rest is loaded by whoever needs it, as ever.
_LOADED = ("deploy.cli", "deploy.commands", "deploy.logs", "deploy.api", "deploy.worker")
_PACKAGES = ("api.http.routes", "api.web.routes", "activities.tools.native")


def main(descriptor: str, parent: str) -> None:
    die_with(int(parent), signal.SIGKILL)
    control = socket.socket(fileno=int(descriptor))
    load()
    request = serve(control, int(parent))
    # A child, which is no more in the midst of anything. Its end is that of any command.
    run(request["words"])


def load() -> None:
    garbage_collector.pause()
    for name in _LOADED:
        import_module(name)
    for name in _PACKAGES:
        modules_of(import_module(name))
    # Each child would do it for itself, in 6 MiB of its own. It reads no variable.
    import_module("deploy.settings").Settings.model_rebuild()
    # Or the collector of each child would write into all that is shared.
    gc.freeze()


def serve(control: socket.socket, parent: int) -> dict[str, Any]:
    """Fork whenever asked to. Returns in children only, with what each is to run."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, DESCRIPTORS)
        if len(descriptors) != DESCRIPTORS:
            sys.exit()  # The supervisor has closed its end.
        if _is_awaited(descriptors[0]) and fork_for(parent):
            control.close()
            return _become(parent, *descriptors)
        for each in descriptors:
            os.close(each)


def _is_awaited(channel: int) -> bool:
    """Whether somebody still waits for the child, and adopts it."""
    try:
        os.write(channel, LOADED)
        return os.read(channel, len(GO)) == GO
    except OSError:  # It was cancelled.
        return False


def _become(parent: int, channel: int, output: int, lock: int) -> dict[str, Any]:
    # Before the supervisor knows of us: it ends us by our session.
    os.setsid()
    with socket.socket(fileno=channel) as asked:
        request = _asked(asked)
        die_with(parent, request["orphan_signal"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, source in enumerate((nothing, output, output)):
            os.dup2(source, number)
    os.set_inheritable(lock, True)
    _close_all_but(0, 1, 2, lock)
    os.chdir(request["folder"])
    variables.replace(request["environment"])
    proc_names.show(request["command"], request["environment"])
    return request


def _asked(asked: socket.socket) -> dict[str, Any]:
    content = b""
    try:
        asked.sendall(PID.pack(os.getpid()))
        while not content.endswith(END):
            chunk = asked.recv(_CHUNK_BYTES)
            if not chunk:
                os._exit(1)  # Nobody waits for us any more.
            content += chunk
    except OSError:
        os._exit(1)
    request: dict[str, Any] = json.loads(content)
    return request


def _close_all_but(*kept: int) -> None:
    for path in Path("/proc/self/fd").iterdir():
        if int(path.name) not in kept:
            with suppress(OSError):  # That of the listing itself.
                os.close(int(path.name))


def run(words: Sequence[str]) -> None:
    """What ``python -m deploy.cli`` does with these words."""
    cli = import_module("deploy.cli")
    sys.argv = [str(cli.__file__), *words]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
