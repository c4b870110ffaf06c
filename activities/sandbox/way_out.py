"""Runs in the sandbox before a job that may use the network: opens the job's way out, then becomes
the job. The worker accepts what comes to the listener that it is sent: no process in the sandbox
forwards anything, and nothing is left open that the job could misuse.

A script without the project: ``python -c SOURCE DESCRIPTOR PORT COMMAND...``.
"""

import os
import signal
import socket
import sys

# As a shell has it.
_NO_PROGRAM, _NOT_RUN = 127, 126


def main(descriptor: str, port: str, *command: str) -> None:
    with (
        socket.socket(fileno=int(descriptor)) as worker,
        socket.create_server(("127.0.0.1", int(port)), backlog=64) as listener,
    ):
        socket.send_fds(worker, [b"."], [listener.fileno()])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would the job.
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  (no shell)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(_NO_PROGRAM if isinstance(error, FileNotFoundError) else _NOT_RUN)


if __name__ == "__main__":
    main(*sys.argv[1:])
