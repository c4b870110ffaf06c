"""Functions of the house as tools, from the README to the artifact."""

from pathlib import Path

import pytest

from tests.live import Live, live_stack
from workflows.errors import AgentOSError


async def test_the_function_of_the_readme_is_a_step_with_a_result_and_a_file(live: Live) -> None:
    data = await live.upload("customers.csv", b"name,country\nAnn,NO\nBo,SE\nIda,NO\n")
    count = {
        "id": "count",
        "tool": "count_customers",
        "args": {"file": "${inputs.customers}", "country": "NO"},
    }
    task = await live.run(count, inputs={"customers": data})
    assert task["status"] == "completed", task["error"]
    [log] = await live.log_of(task["task_id"])
    assert log["stdout"] == '{"customers":2}'
    [artifact] = task["artifacts"]
    assert (artifact["name"], await live.text_of(artifact)) == ("found.csv", "Ann,NO\nIda,NO")


async def test_it_is_listed_with_its_docstring_as_one_of_the_house(live: Live) -> None:
    answer = await live.http.get("/api/v1/tools/count_customers")
    found = answer.json()
    assert found["description"] == (
        "Count the customers in a CSV file, all of them or those of a country."
    )
    assert found["is_own"]
    assert found["schema"]["required"] == ["file"]
    built_in = await live.http.get("/api/v1/tools/read_file")
    assert not built_in.json()["is_own"]


async def test_what_it_is_given_is_checked_before_anything_runs(live: Live) -> None:
    step = {"id": "count", "tool": "count_customers", "args": {"files": "x"}}
    answer = await live.http.post(
        "/api/v1/tasks",
        json={"type": "pipeline", "pipeline": {"name": "wrong", "steps": [step]}},
    )
    assert answer.status_code == 422
    assert "/pipeline/steps/0/args/files" in answer.text


async def test_a_tool_that_cannot_be_loaded_keeps_the_stack_from_starting_and_says_where(
    tmp_path: Path,
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "broken.py").write_text("x = 1\nimport nowhere_at_all\n")
    with pytest.raises(AgentOSError) as failed:
        async with live_stack(tmp_path / "data", AGENTOS_TOOLS_PATH=str(tmp_path / "tools")):
            pass
    assert "broken.py:2: " in str(failed.value)
    assert "nowhere_at_all" in str(failed.value)
