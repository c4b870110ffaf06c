"""Templates of agents that are files: ``<name>.yaml`` in the folders of AGENTOS_AGENTS_PATH."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import JsonValue, TypeAdapter, ValidationError

from activities.off_loop import off_loop
from api.wire.agent_requests import TemplateName, TemplateRequest
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import problems_in

SCAN_INTERVAL_SECONDS = 1.0
MAX_FILES = 1_000
MAX_FILE_BYTES = 256 * 1024
_PROBLEMS_SHOWN = 5
_SUFFIXES = (".yaml", ".yml", ".json")

_NO_NAME = (
    "a template is called by the name of its file, which has letters, digits, '.', '_' and '-', 63 "
    "characters at most, and begins with a letter or digit"
)

_NAME = TypeAdapter[str](TemplateName)


@dataclass(frozen=True, slots=True)
class FoundTemplates:
    """Templates by name, and why files cannot be used, by their paths."""

    templates: Mapping[str, TemplateRequest]
    refused: Mapping[str, str]


class TemplateFiles:
    """The folders are looked at when somebody asks, at most once a second. On the same name the
    earlier folder wins."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)
        self._found = FoundTemplates(MappingProxyType({}), MappingProxyType({}))
        self._scanned_at = -SCAN_INTERVAL_SECONDS
        self._scanning = asyncio.Lock()

    async def found(self) -> FoundTemplates:
        async with self._scanning:
            if self._folders and time.monotonic() - self._scanned_at >= SCAN_INTERVAL_SECONDS:
                self._found = await off_loop(_scan, self._folders)
                self._scanned_at = time.monotonic()
        return self._found


def _scan(folders: Sequence[Path]) -> FoundTemplates:
    templates: dict[str, TemplateRequest] = {}
    refused: dict[str, str] = {}
    for number, path in enumerate(_files(folders)):
        if number >= MAX_FILES:
            refused[str(path)] = f"there are more than {MAX_FILES:,} files"
            break
        try:
            name = _NAME.validate_python(path.stem)
            if name not in templates:
                templates[name] = _read(path)
        except ValidationError:
            refused[str(path)] = _NO_NAME
        except _Unusable as error:
            refused[str(path)] = str(error)
    return FoundTemplates(MappingProxyType(templates), MappingProxyType(refused))


class _Unusable(Exception):
    """Why a file is no template."""


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            entries = sorted(folder.iterdir())
        except OSError:  # It may be made later.
            continue
        yield from (each for each in entries if each.suffix in _SUFFIXES and each.is_file())


def _read(path: Path) -> TemplateRequest:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise _Unusable(f"it is larger than {MAX_FILE_BYTES:,} bytes")
        document = _parse(path, content)
    except OSError as error:
        raise _Unusable(f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _Unusable("it is not UTF-8") from error
    except BodyMalformed as error:
        reason = "it is not valid {form}: {reason} (line {line}, column {column})"
        raise _Unusable(reason.format_map(error.fields)) from error
    try:
        return TemplateRequest.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        found = problems_in(errors, document, model=TemplateRequest)
        shown = [f"{each.pointer or '/'}: {each.message}" for each in found[:_PROBLEMS_SHOWN]]
        more = len(found) - len(shown)
        raise _Unusable("; ".join(shown) + (f" (and {more} more)" if more else "")) from error


def _parse(path: Path, content: bytes) -> JsonValue:
    return (
        parse_json(content) if path.suffix == ".json" else parse_yaml(content.decode("utf-8-sig"))
    )
