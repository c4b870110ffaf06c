"""The server as a process of its own: ``python -m deploy.offline_model PORT``.

It imports so little that it starts in a third of the time of ``agentos model``.
"""

import asyncio
import sys

from deploy.offline_model.app import ModelServerOptions
from deploy.offline_model.server import LOOPBACK, serve
from workflows.errors import AgentOSError


def main(port: str) -> None:
    def tell(base_url: str) -> None:
        print(base_url, file=sys.stderr, flush=True)  # noqa: T201

    try:
        asyncio.run(serve(LOOPBACK, int(port), ModelServerOptions(), tell))
    except AgentOSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
