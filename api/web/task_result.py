"""What came of a task, for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.web.text.code import highlight
from api.web.text.markdown import markdown
from api.web.text.pretty import written_json
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Result, Task

MAX_FILES = 50


@dataclass(frozen=True, slots=True)
class ShownResult:
    """``document`` is what was given as JSON; of many files the first are here."""

    summary: Markup | None
    document: Markup | None
    files: Sequence[Artifact]
    file_count: int


def result_of(task: Task) -> ShownResult | None:
    given = task.result
    if isinstance(given, AgentResult):
        return _shown(markdown(given.summary), given.result, given.files)
    if isinstance(given, Result):
        return _shown(None, given.json_, given.files)
    return None


def _shown(summary: Markup | None, document: object, files: Sequence[Artifact]) -> ShownResult:
    written = None if document is None else highlight(written_json(document), "json")
    return ShownResult(summary, written, files[:MAX_FILES], len(files))
