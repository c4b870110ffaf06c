"""Steps side by side, and steps that run once for each item, on the whole stack."""

import re

import yaml

from tests.folders import PROJECT
from tests.live import Live, python

SPLIT = """
for name in "cab":
    open(f"{name}.txt", "w").write(name * 3)
print('{"rows": [{"n": 1}, {"n": 20}]}')
"""


async def test_a_step_runs_once_for_each_file_and_the_next_has_all_that_was_made(
    live: Live,
) -> None:
    count = "import sys; t = open(sys.argv[1]).read(); print(len(t)); open('n', 'w').write(t[:1])"
    task = await live.run(
        python("split", SPLIT),
        {
            **python("count", count, "${item}", "${item.name}", "${index}"),
            "foreach": "${steps.split.files}",
            "parallel": 2,
        },
        python(
            "join",
            "import sys; print(''.join(open(f).read() for f in sys.argv[3:]), *sys.argv[1:3])",
            "${steps.count.json}",
            "${steps.count.stdout}",
            "${steps.count.files}",
        ),
    )
    assert task["status"] == "completed", task
    logs = await live.log_of(task["task_id"])
    assert logs[-1]["stdout"] == "abc [3, 3, 3] 3\n3\n3\n"
    [count_step] = [step for step in task["sub_tasks"] if step["name"] == "count"]
    assert count_step["items"] == {"total": 3, "completed": 3, "failed": 0, "running": 0}
    items = [step for step in task["sub_tasks"] if step["item_of"] == "count"]
    assert [(item["name"], item["item"]) for item in items] == [
        ("count[0]", "a.txt"),
        ("count[1]", "b.txt"),
        ("count[2]", "c.txt"),
    ]


async def test_the_example_of_the_readme_draws_a_chart_for_each_region(live: Live) -> None:
    sales = b"region,product,amount\n" + b"north,tea,3\nsouth,tea,4\nnorth,milk,5\nwest,tea,1\n" * 3
    readme = (PROJECT / "README.md").read_text()
    [text] = re.findall(r"```yaml\n(name: report-for-each-region\n.*?)```", readme, re.DOTALL)
    data = await live.upload("sales.csv", sales)
    body = {"type": "pipeline", "pipeline": yaml.safe_load(text), "inputs": {"sales": data}}
    answer = await live.http.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task = await live.ended(answer.json()["task_id"], seconds=180)
    assert task["status"] == "completed", task["error"]
    charts = {(made["sub_task"], made["name"]) for made in task["artifacts"]}
    assert {
        ("chart[0]", "north.svg"),
        ("chart[1]", "south.svg"),
        ("chart[2]", "west.svg"),
        ("chart[2]", "west.png"),
    } <= charts
    logs = await live.log_of(task["task_id"])
    assert "6 files\n" in [log["stdout"] for log in logs]
