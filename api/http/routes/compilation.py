"""What an agent or a plan did, as a pipeline."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from activities.store.reading.runs import RecordedFile
from api.http.bodies import Body
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.tasks.compilation.service import compile_task
from api.wire.requests import CompileRequest
from api.wire.responses.compilation import (
    Compilation,
    CompiledStep,
    Constant,
    ExpectedFile,
    Obstacle,
)

router = Routes(prefix="/tasks/{task_id}", tags=["tasks"])


@router.post("/compile", operation_id="compileTask")
async def compile_(
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: Annotated[CompileRequest, Depends(Body(CompileRequest, default=CompileRequest()))],
) -> Compilation:
    """Give what a completed agent or plan did as a pipeline, which needs no model.

    Nothing is run or kept.
    """
    compiled = await compile_task(services, team_id, task_id, wanted.accept)
    pipeline = compiled.pipeline
    return Compilation(
        pipeline=pipeline and pipeline.model_dump(mode="json", exclude_defaults=True),
        inputs=dict(compiled.inputs),
        problems=[Obstacle(pointer=p.pointer, message=p.message) for p in compiled.problems],
        constants=[Constant(**asdict(constant)) for constant in compiled.constants],
        steps=[
            CompiledStep(id=key, call=call.name, files=list(map(_expected, files)))
            for key, (call, files) in compiled.steps.items()
        ],
    )


def _expected(file: RecordedFile) -> ExpectedFile:
    return ExpectedFile(name=file.name, sha256=file.sha256)
