"""Dead letters on the whole stack: a blocked pipeline is found, mended and completed."""

from tests.live import Live, python

_CHECK = """
import sys
word = open(sys.argv[1]).read()
print(word)
sys.exit(75 if word == "busy" else 0)
"""


async def test_a_blocked_pipeline_completes_after_a_requeue_that_runs_one_of_its_ten_steps(
    live: Live,
) -> None:
    inputs = {"word": await live.upload("word.txt", b"busy")}
    steps = [python(f"s{number}", "print(1)") for number in range(10)]
    steps[9] = python("s9", _CHECK, "${inputs.word}", retries=0)
    task = await live.run(*steps, inputs=inputs)
    assert task["status"] == "blocked"
    # Listed, grouped, and one.
    letters = await live.http.get("/api/v1/dead-letters", params={"task_id": task["task_id"]})
    [letter] = letters.json()["items"]
    assert (letter["sub_task"], letter["error"]["code"]) == ("s9", "script-failed")
    query = {"fingerprint": letter["fingerprint"]}
    [group] = (await live.http.get("/api/v1/dead-letters/groups", params=query)).json()["items"]
    assert (group["count"], group["example"]) == (1, letter["id"])
    # What a requeue would do, and that it does so.
    path = f"/api/v1/dead-letters/{letter['id']}"
    body = {"inputs": {"word": await live.upload("word.txt", b"free")}}
    foreseen = (await live.http.post(f"{path}/requeue", json={**body, "dry_run": True})).json()
    assert [step["step"] for step in foreseen["kept_steps"]] == [f"s{n}" for n in range(9)]
    assert [step["step"] for step in foreseen["redone_steps"]] == ["s9"]
    assert foreseen["estimate"]["seconds"] > 0
    answers = [await live.http.post(f"{path}/requeue", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    task = await live.ended(task["task_id"])
    assert (task["status"], task["run"]) == ("completed", 2)
    again = [log["step"] for log in await live.log_of(task["task_id"]) if log["run"] == 2]
    assert again == ["s9"]
    assert (await live.http.get(path)).json()["state"] == "requeued"
