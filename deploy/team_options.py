"""Options of the commands that manage teams in the database."""

from pathlib import Path
from typing import Annotated

import typer

DATA_DIR = Path(".agentos")

Team = Annotated[str, typer.Option(help="Name of the team.")]
DataDir = Annotated[
    Path,
    typer.Option(
        envvar="AGENTOS_DATA_DIR",
        help="Folder of `agentos up`, used where AGENTOS_DATABASE_URL is not set.",
    ),
]
