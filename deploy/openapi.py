"""``agentos openapi``: the OpenAPI document, without an API that runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[
    Path | None, typer.Option("--output", "-o", dir_okay=False, help="File to write it to.")
]
Server = Annotated[
    str,
    typer.Option(
        envvar="AGENTOS_PUBLIC_URL",
        help="Address of the API that clients are to talk to; by default where they got it from.",
    ),
]
KeysRequired = Annotated[
    bool,
    typer.Option(
        "--keys-required", envvar="AGENTOS_KEYS_REQUIRED", help="Say that everybody needs a key."
    ),
]


def openapi(
    output: Output = None, server: Server = "", keys_required: KeysRequired = False
) -> None:
    """Print the OpenAPI document of the API, which need not run."""
    # What describes the calls loads all that answers them, which takes seconds.
    from api.http.calls import documented_api
    from api.http.document.assembly import Place

    content, _ = documented_api(Place(keys_required, server.rstrip("/"))).document
    if output is None:
        sys.stdout.buffer.write(content + b"\n")
    else:
        output.write_bytes(content + b"\n")
