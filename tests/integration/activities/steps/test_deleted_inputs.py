"""Steps of a task whose input was deleted: those that do without it run, others say so."""

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError

from activities.store.audit import Deed, note
from tests.actors import SOMEBODY
from tests.integration.agent_desk import Desk
from tests.integration.cached_steps import Outcome, code, run

TOLD = {"name": "sales.csv", "size": 1}


async def run_without(desk: Desk, step: dict[str, object], ref: str, **more: str) -> Outcome:
    """A step whose input ``data`` is deleted before it begins, as by whoever retries its task."""

    async def delete() -> None:
        async with desk.database.writing() as connection:
            await connection.execute(text("DELETE FROM files WHERE id = :id"), {"id": ref[5:]})
            await note(connection, SOMEBODY, Deed("file.deleted", ref[5:], details=TOLD))

    return await run(desk, step, meanwhile=delete, data=ref, **more)


@pytest.mark.parametrize("cache", ["1h", False])
async def test_a_step_runs_without_a_deleted_input_that_it_does_not_use_and_says_so(
    dice: Desk, cache: str | bool
) -> None:
    step = code(
        "import sys; print(open(sys.argv[1]).read())", args=["${inputs.other}"], cache=cache
    )
    ref, other = await dice.upload(b"n", "sales.csv"), await dice.upload(b"x")
    ended = await run_without(dice, step, ref, other=other)
    assert (ended.status, ended.stdout, ended.cached) == ("completed", "x\n", False)
    assert "runs without data, which was deleted" in ended.stderr
    again = await run(dice, step, other=other)
    assert again.stderr == ""


@pytest.mark.parametrize(
    "step",
    [
        code("import sys; print(open(sys.argv[1]).read())", args=["${inputs.data}"]),
        code("import os; print(os.environ['INPUT_DATA'])"),
        code("import os; print(os.environ[f'INPUT_{1}'])"),
        code("import os; print(os.listdir('../input'))"),
        code("from pathlib import Path; print(*(Path.cwd().parent / 'input').iterdir())"),
        code("import os; print([v for k, v in os.environ.items() if k.startswith('INPUT')])"),
        code("import sys; exec(sys.argv[1])", args=["print(open('/workspace/input/data').read())"]),
        code("from pathlib import Path; print(*Path('/').rglob('*.csv'))"),
        {"code": {"language": "shell", "source": "cd /workspace; cat input/data"}},
        {"code": {"language": "shell", "source": "cat ../*/data"}},
        {"skill": "dice"},
    ],
    ids=[
        *("argument", "variable", "any variable", "folder", "joined folder", "variables"),
        *("argument that is code", "from the root", "changed folder", "star", "skill"),
    ],
)
async def test_a_step_that_may_use_a_deleted_input_names_it_and_says_what_to_do(
    dice: Desk, step: dict[str, object]
) -> None:
    ref = await dice.upload(b"n", "sales.csv")
    with pytest.raises(ApplicationError) as raised:
        await run_without(dice, step, ref)
    assert raised.value.type == "input-deleted"
    assert f"file 'sales.csv' was deleted ({ref})" in str(raised.value)
    assert "--input data=FILE" in str(raised.value)
