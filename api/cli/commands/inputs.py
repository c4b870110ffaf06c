"""The inputs of a task as a command line names them: ``NAME=FILE`` or ``NAME=REFERENCE``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from rich.filesize import decimal

from api.cli import terminal
from api.cli.commands.document_file import file_like
from api.cli.errors import InputFileMissing, InputMalformed
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from workflows.definitions.inputs import InputName

REFERENCES = ("file:", "artifact:", "s3://", "https://")

_NAME = TypeAdapter[str](InputName)

GivenInputs = Mapping[str, str | Path]


def parse_inputs(texts: Sequence[str] | None) -> GivenInputs:
    """What is given, by name: a path of a file that is there, or a reference.

    Raises:
        InputMalformed, InputFileMissing
    """
    given: dict[str, str | Path] = {}
    for text in texts or ():
        name, value = _split(text)
        if name in given:
            raise InputMalformed(text=text, reason=f"{name} is given twice")
        given[name] = value if value.startswith(REFERENCES) else _file(name, value)
    return given


def references_in(given: GivenInputs | None) -> dict[str, str]:
    """What the server can judge: files of this machine are uploaded only when it gets serious."""
    return {name: value for name, value in (given or {}).items() if isinstance(value, str)}


async def upload_inputs(client: Client, given: GivenInputs) -> dict[str, str]:
    """Inputs as references: files are uploaded, each once.

    They stay, whatever becomes of the request: equal uploads of a team are one file, so somebody
    else may name it by then.
    """
    uploaded: dict[Path, str] = {}
    references: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, str):
            references[name] = value
            continue
        path = value.absolute()
        if path not in uploaded:
            file = await client.upload(value)
            uploaded[path] = f"file:{file.id}"
            what = f"{value} ({decimal(file.size)})"
            line = f"Uploaded {what} as file:{file.id}"
            if file.existed:
                line = f"{what} was uploaded before, as file:{file.id}"
            terminal.stderr().print(safe_line(line), style="dim", soft_wrap=True)
        references[name] = uploaded[path]
    return references


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not value:
        raise InputMalformed(text=text, reason=_without_name(text))
    try:
        return _NAME.validate_python(name), value
    except ValidationError as error:
        reason = f"{name!r} is not a valid name; use letters, digits, _ and -, and no digit first"
        raise InputMalformed(text=text, reason=reason) from error


def _without_name(text: str) -> str:
    """What to write, with the name that the file itself suggests."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(text).stem)
    is_file = "=" not in text and _is_name(stem)
    return f"write a name before it, as in --input {stem}={text}" if is_file else "write NAME=VALUE"


def _is_name(text: str) -> bool:
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


def _file(name: str, value: str) -> Path:
    path = Path(value).expanduser()
    if value.startswith("http://"):
        raise InputMalformed(text=f"{name}={value}", reason="only https:// URLs are fetched")
    if not path.is_file():
        meant = None if path.is_dir() else file_like(path)
        hint = f" Did you mean {meant}?" if meant else ""
        if path.is_dir():
            hint = " That is a folder: name a file in it."
        raise InputFileMissing(name=name, path=value, hint=hint)
    return path
