"""Runs in the sandbox before a job that may use the network: opens the job's way out, then becomes
the job. The worker accepts what comes to the listener that it is sent: no process in the sandbox
forwards anything, and nothing is left open that the job could misuse.

A script without the project: ``python -c SOURCE DESCRIPTOR PORT COMMAND...``.
"""

import os
import socket
import sys


def main(descriptor: str, port: str, *command: str) -> None:
    with (
        socket.socket(fileno=int(descriptor)) as worker,
        socket.create_server(("127.0.0.1", int(port)), backlog=64) as listener,
    ):
        socket.send_fds(worker, [b"."], [listener.fileno()])
    os.execv(command[0], command)  # noqa: S606  (an exact path, no shell)


if __name__ == "__main__":
    main(*sys.argv[1:])
