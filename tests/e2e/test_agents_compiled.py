"""Compiled agents on the whole stack: the same bytes again, and other ones of other files."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.doubles.scripted_models import ScriptedModels, Wanted, asks, finishes
from tests.live import Live

DATA = Path(__file__).parents[2] / "deploy" / "demo" / "penguins_raw.csv"
PROMPT = (
    "Clean the data, profile it, draw a scatter chart (x=flipper_length_mm, y=body_mass_g, "
    "group=species) and write a report of what you found."
)


def python(source: str, *args: str) -> Wanted:
    return "run_code", {"language": "python", "source": source, "args": list(args)}


def skill(name: str, *args: str) -> Wanted:
    return "run_skill_script", {"skill": name, "args": list(args)}


async def submitted(live: Live, *words: str) -> dict[str, Any]:
    """A task that a command submits, when it has ended."""
    printed = await live.agentos("submit", *words, "--wait")
    assert printed.code == 0, printed.stderr
    return await live.task(printed.stdout.strip())


async def test_the_agent_of_the_demo_compiles_and_its_pipeline_makes_the_same_bytes(
    live: Live, tmp_path: Path
) -> None:
    task = await submitted(live, "agent", PROMPT, "--input", f"data={DATA}")
    target = tmp_path / "compiled.yaml"
    printed = await live.agentos("compile", task["task_id"], "-o", str(target), "--check")
    assert printed.code == 0, printed.stderr
    assert printed.stdout == ""
    made = {artifact["name"] for artifact in task["artifacts"]}
    assert f"{len(made)} of {len(made)} files are the same." in printed.stderr

    pipeline = yaml.safe_load(target.read_text())
    assert [step["id"] for step in pipeline["steps"]] == [
        *("csv-clean", "csv-profile", "chart", "report")
    ]
    assert pipeline["parameters"]["group"] == "species"

    lines = DATA.read_text().splitlines(keepends=True)
    other = tmp_path / "other.csv"
    other.write_text("".join([lines[0], *lines[100:200]]))
    given = ("--input", f"data={other}", "--set", "group=island")
    again = await submitted(live, "pipeline", str(target), *given)
    assert again["status"] == "completed"
    assert {artifact["name"] for artifact in again["artifacts"]} == made
    digests = {artifact["sha256"] for artifact in task["artifacts"]}
    assert digests.isdisjoint(artifact["sha256"] for artifact in again["artifacts"])


async def test_detours_are_left_out_and_buried_files_are_found(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name;age\nada;36\nalan;41\n")
    join = (
        "import json, os\n"
        "job = json.load(open('/workspace/input/job.json'))\n"
        "folder = os.environ['AGENTOS_INPUT_DIR']\n"
        "text = ''.join(open(os.path.join(folder, name)).read() for name in job['files'])\n"
        "open('joined.txt', 'w').write(text)\n"
    )
    talk = models.conversation(
        asks(("list_files", {}), ("load_skill", {"skill": "csv-clean"})),
        asks(python("open('nothing.csv')")),
        asks(skill("csv-clean", "people", "-o", "clean.csv", "--dedupe")),
        asks(skill("csv-clean", "people", "-o", "clean.csv")),
        asks(("read_file", {"file": "clean.csv"})),
        asks(("write_file", {"name": "job.json", "text": '{"files": ["clean.csv", "people"]}'})),
        asks(python(join)),
        asks(python("import shutil, sys; shutil.copy(sys.argv[1], 'last.txt')", "joined.txt")),
        finishes(),
    )
    task = await submitted(agents_live, "agent", talk.prompt(), "--input", f"people={people}")
    printed = await agents_live.agentos("compile", task["task_id"], "--check", "--output", "json")
    assert printed.code == 0, printed.stderr
    answer = json.loads(printed.stdout)
    assert {step["id"]: step["call"].partition(" ")[0] for step in answer["steps"]} == {
        "csv-clean": "4.1",
        "job": "6.1",
        "code": "7.1",
        "code-2": "8.1",
    }
    assert answer["pipeline"]["steps"][2]["files"] == {
        "job.json": "${steps.job.files['job.json']}",
        "clean.csv": "${steps.csv-clean.files['clean.csv']}",
    }
    assert {file["name"]: file["is_"] for file in answer["check"]["files"]} == dict.fromkeys(
        ("clean.csv", "job.json", "joined.txt", "last.txt"), "same"
    )
    # What was kept of the first would show nothing.
    second = await agents_live.agentos("compile", task["task_id"], "--check", "--output", "json")
    checked = await agents_live.task(json.loads(second.stdout)["check"]["task_id"])
    assert [step["cached"] for step in checked["sub_tasks"]] == [False] * 4


async def test_what_depends_on_the_data_is_told_and_accepted_by_a_person(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name,city\nada,London\nalan,Wilmslow\n")
    talk = models.conversation(
        asks(("read_file", {"file": "people"})),
        asks(python("import sys; open('c.txt', 'w').write(sys.argv[1])", "--by=city")),
        finishes(),
    )
    task = await submitted(agents_live, "agent", talk.prompt(), "--input", f"people={people}")
    refused = await agents_live.agentos("compile", task["task_id"], "--check")
    assert refused.code == 1
    assert refused.stdout == ""
    place = "/calls/2.1/arguments/args/0"
    assert place in refused.stderr
    assert "'city' is what the model read in the result of call 1.1 read_file" in refused.stderr

    target = str(tmp_path / "no-such-folder" / "x.yaml")
    unwritable = await agents_live.agentos(
        "compile", task["task_id"], "--accept", place, "-o", target
    )
    assert unwritable.code == 2
    assert f"{target} cannot be written: No such file or directory" in unwritable.stderr

    printed = await agents_live.agentos("compile", task["task_id"], "--accept", place, "--check")
    assert printed.code == 0, printed.stderr
    pipeline = yaml.safe_load(printed.stdout)
    assert pipeline["parameters"] == {"by": "city"}
    assert "1 of 1 files are the same." in printed.stderr


async def test_a_pipeline_that_makes_other_bytes_does_not_pass_the_check(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name\nada\n")
    source = (
        "import shutil, uuid\n"
        "shutil.copy('/workspace/input/people', 'same.csv')\n"
        "open('other.txt', 'w').write(str(uuid.uuid4()))\n"
    )
    talk = models.conversation(asks(python(source)), finishes())
    task = await submitted(agents_live, "agent", talk.prompt(), "--input", f"people={people}")
    printed = await agents_live.agentos("compile", task["task_id"], "--check")
    assert printed.code == 1
    assert "same       same.csv  (code, 1.1 run_code)" in printed.stderr
    assert "different  other.txt  (code, 1.1 run_code)" in printed.stderr
    assert "1 of 2 files are the same." in printed.stderr
