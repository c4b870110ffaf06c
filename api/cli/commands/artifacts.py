"""``agentos artifacts``: the files that tasks made."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel

from api.cli.commands.options import (
    Format,
    LongOutput,
    Output,
    TaskId,
    place_option,
    talk,
    told_apart,
)
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.task_ids import LEAST_CHARACTERS, find_task_id, talk_about
from api.cli.commands.task_views import print_artifacts
from api.cli.errors import ArtifactUnknown
from api.client import AsyncClient as Client
from api.client import Download
from api.client.transfer import target_of
from api.client.transfer import told_apart as by_step
from api.client.transport import Params
from api.wire.responses.files import Artifact
from api.wire.responses.pages import Page

app = typer.Typer(no_args_is_help=True)


class Fetched(BaseModel):
    """A downloaded artifact, and where it was written."""

    id: str
    name: str
    path: Path


@app.command()
def ls(context: typer.Context, task: TaskId, output: Output = Format.TABLE) -> None:
    """List the files that a task made."""
    page = talk_about(context, task, _artifacts_of)
    print_json(page) if output is Format.JSON else print_artifacts(page.items)


@app.command()
def get(
    context: typer.Context,
    *,
    artifact: Annotated[
        str | None,
        typer.Argument(
            metavar="ARTIFACT",
            show_default=False,
            help="An artifact's id; with --task, also its name or the beginning of its id.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="ID", show_default=False, help="Its task; alone: all files."),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(
            metavar="STEP",
            show_default=False,
            help="With --task: only what this step, call or node made.",
        ),
    ] = None,
    place: Annotated[
        Any, place_option("Folder to write to.", "--to", metavar="FOLDER", default=".")
    ] = None,
    output: LongOutput = Format.TABLE,
) -> None:
    """Download files that a task made, verify them, and print their paths."""
    if step is not None and task is None:
        raise typer.BadParameter("it needs --task", param_hint="--step")
    folder, output = told_apart(place, output)
    if folder is not None and folder.is_file():
        raise typer.BadParameter(f"{folder} is a file", param_hint="--to")
    if artifact is None and task is None:
        raise typer.BadParameter("name an artifact, or a task with --task", param_hint="ARTIFACT")
    fetched = talk(context, lambda client: _get(client, artifact, task, step, folder or Path()))
    if output is Format.JSON:
        print_json(Page(items=fetched))
    else:
        for item in fetched:
            print_line(str(item.path))


async def _get(
    client: Client, artifact: str | None, task: str | None, step: str | None, folder: Path
) -> list[Fetched]:
    wanted = await _chosen(client, artifact, task, step)
    for item in wanted:
        target_of(item, folder)  # Refuse before anything is written.
    return [
        Fetched(id=item.id, name=item.name, path=await client.download(item, folder))
        for item in wanted
    ]


async def _chosen(
    client: Client, artifact: str | None, task: str | None, step: str | None
) -> list[Download]:
    if task is None:
        return [await client.describe_artifact(_whole_id(artifact or ""))]
    task_id = await find_task_id(client, task)
    # Links lead elsewhere: there are no bytes of theirs to fetch.
    items = [item for item in (await _artifacts_of(client, task_id)).items if item.sha256]
    if step is not None:
        items = [item for item in items if item.sub_task == step]
        if not items:
            raise ArtifactUnknown(task_id=task_id, wanted=f"{step}/*")
    if artifact is not None:
        named = [item for item in items if artifact in (item.name, str(item.id))]
        items = named or [item for item in items if _begins(item, artifact)]
        if not items:
            raise ArtifactUnknown(task_id=task_id, wanted=artifact)
    return by_step(items)


def _begins(item: Artifact, text: str) -> bool:
    return len(text) >= LEAST_CHARACTERS and str(item.id).startswith(text.lower())


def _whole_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        message = "it is not a whole id; give the task too, with --task"
        raise typer.BadParameter(message, param_hint="ARTIFACT") from error


async def _artifacts_of(client: Client, task_id: str) -> Page[Artifact]:
    async def fetch(params: Params) -> Page[Artifact]:
        return await client.artifacts(task_id, params)

    return await whole_list(fetch)
