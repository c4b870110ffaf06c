"""The files of a pipeline's run beside those of the agent's calls that its steps repeat."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pydantic import BaseModel

from api.wire.responses.compilation import CompiledStep
from api.wire.responses.files import Artifact


class Sameness(StrEnum):
    """``missing``: the call made the file, and the step did not. ``new``: the other way round."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    NEW = "new"


class ComparedFile(BaseModel):
    name: str
    step: str
    call: str
    is_: Sameness


class Check(BaseModel):
    """What came of the run ``task_id`` of a compiled pipeline."""

    task_id: str
    status: str
    files: list[ComparedFile]

    @property
    def holds(self) -> bool:
        return all(file.is_ is Sameness.SAME for file in self.files)


def compared(
    steps: Iterable[CompiledStep], artifacts: Iterable[Artifact]
) -> Iterator[ComparedFile]:
    """Every file of the steps, by the SHA-256 of its bytes."""
    made = {(item.sub_task, item.name): item.sha256 for item in artifacts}
    for step in steps:
        for file in step.files:
            digest = made.pop((step.id, file.name), None)
            is_ = (
                Sameness.MISSING
                if digest is None
                else Sameness.SAME
                if digest == file.sha256
                else Sameness.DIFFERENT
            )
            yield ComparedFile(name=file.name, step=step.id, call=step.call, is_=is_)
        for place in [place for place in made if place[0] == step.id]:
            del made[place]
            yield ComparedFile(name=place[1], step=step.id, call=step.call, is_=Sameness.NEW)
