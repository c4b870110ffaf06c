"""``agentos artifacts``: the files that tasks made."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel

from api.cli.commands.downloading import STDOUT, Force, fetch_all
from api.cli.commands.options import (
    Format,
    LongOutput,
    Output,
    place_option,
    talk,
    told_apart,
)
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.task_ids import LEAST_CHARACTERS, find_task_id, talk_about
from api.cli.commands.task_views import print_artifacts
from api.cli.errors import ArtifactUnknown
from api.client import ApiProblem, Download
from api.client import AsyncClient as Client
from api.client.transfer import told_apart as by_step
from api.client.transport import Params
from api.wire.responses.files import Artifact
from api.wire.responses.pages import Page
from workflows.item_names import step_of

app = typer.Typer(no_args_is_help=True)


class Fetched(BaseModel):
    """A downloaded artifact, and where it was written."""

    id: str
    name: str
    path: Path


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID] [NAME...]",
        show_default=False,
        help="A task's id, or its first six or more characters (ID/NODE: a node of a plan), and "
        "names of its files, patterns of them ('*.csv', 'clean/*'), or the beginnings of their "
        "ids; or the whole id of one file.",
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        metavar="ID", show_default=False, help="The task, in place of the first argument."
    ),
]
Step = Annotated[
    str | None,
    typer.Option(
        metavar="STEP",
        show_default=False,
        help="Only what this step with all its items, this item, call or node made.",
    ),
]


@app.command()
def ls(
    context: typer.Context,
    *,
    names: Names = None,
    task: Task = None,
    step: Step = None,
    output: Output = Format.TABLE,
) -> None:
    """List the files that a task made."""
    given, wanted = _task_and_names(names, task)

    async def converse(client: Client, task_id: str) -> Page[Artifact]:
        page = await _artifacts_of(client, task_id)
        if step is None and not wanted:
            return page
        return page.model_copy(update={"items": _matching(task_id, page.items, wanted, step)})

    page = talk_about(context, given, converse)
    print_json(page) if output is Format.JSON else print_artifacts(page.items)


@app.command()
def get(
    context: typer.Context,
    *,
    names: Names = None,
    task: Task = None,
    step: Step = None,
    place: Annotated[
        Any,
        place_option(
            "Folder to write to; - prints a single file.", "--to", metavar="FOLDER", default="."
        ),
    ] = None,
    force: Force = False,
    output: LongOutput = Format.TABLE,
) -> None:
    """Download files that a task made, verify them, and print their paths."""
    folder, output = told_apart(place, output)
    if folder is not None and folder.is_file():
        raise typer.BadParameter(f"{folder} is a file", param_hint="-o")
    given, wanted = _task_and_names(names, task)
    may_be_file = task is None and not wanted and step is None

    async def fetch(client: Client) -> list[Fetched]:
        alone = await _artifact_alone(client, given) if may_be_file else None
        chosen = alone or await _chosen(client, given, wanted, step)
        paths = await fetch_all(chosen, folder or Path(), client.download, force=force)
        return [
            Fetched(id=item.id, name=item.name, path=path)
            for item, path in zip(chosen, paths, strict=True)
        ]

    fetched = talk(context, fetch)
    if folder == STDOUT:
        return
    if output is Format.JSON:
        print_json(Page(items=fetched))
    else:
        for item in fetched:
            print_line(str(item.path))


def _task_and_names(names: Sequence[str] | None, task: str | None) -> tuple[str, Sequence[str]]:
    """Raises ``typer.BadParameter``."""
    if task is not None:
        return task, names or ()
    if not names:
        raise typer.BadParameter("name a task, or one of its files by its id", param_hint="ID")
    return names[0], names[1:]


async def _chosen(
    client: Client, task: str, names: Sequence[str], step: str | None
) -> Sequence[Download]:
    task_id = await find_task_id(client, task)
    found = _matching(task_id, (await _artifacts_of(client, task_id)).items, names, step)
    # Links lead elsewhere: there are no bytes of theirs to fetch.
    return by_step([item for item in found if item.sha256])


async def _artifact_alone(client: Client, text: str) -> list[Download] | None:
    """A single file, by its whole id; None where that is none, and may be that of a task."""
    try:
        artifact_id = str(UUID(text))
    except ValueError:
        return None
    try:
        return [await client.describe_artifact(artifact_id)]
    except ApiProblem as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _matching(
    task_id: str, items: Sequence[Artifact], names: Sequence[str], step: str | None
) -> list[Artifact]:
    """Those of the step that have one of the names, in their order.

    Raises:
        ArtifactUnknown: there are none of the step, or of a name.
    """
    of_step = [item for item in items if step in (None, item.sub_task, step_of(item.sub_task))]
    if step is not None and not of_step:
        raise ArtifactUnknown(task_id=task_id, wanted=f"{step}/*")
    if not names:
        return of_step
    chosen: dict[UUID, Artifact] = {}
    for name in names:
        found = [item for item in of_step if name in (item.name, str(item.id))]
        found = found or [item for item in of_step if _fits(item, name)]
        if not found:
            raise ArtifactUnknown(task_id=task_id, wanted=name)
        chosen |= {item.id: item for item in found}
    return [item for item in of_step if item.id in chosen]


def _fits(item: Artifact, text: str) -> bool:
    """Whether a pattern fits its name, or the text is the beginning of its id."""
    names = (item.name, f"{item.sub_task}/{item.name}")
    return any(fnmatchcase(name, text) for name in names) or _begins(item, text)


def _begins(item: Artifact, text: str) -> bool:
    return len(text) >= LEAST_CHARACTERS and str(item.id).startswith(text.lower())


async def _artifacts_of(client: Client, task_id: str) -> Page[Artifact]:
    async def fetch(params: Params) -> Page[Artifact]:
        return await client.artifacts(task_id, params)

    return await whole_list(fetch)
