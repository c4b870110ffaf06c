"""What a team may have, each thing once: to see that it is nobody else's."""

from uuid import uuid4

import httpx

from activities.store import keys
from activities.store.new_residents import Made, NewResident, create_resident
from tests.integration.api_stage import Stage, pipeline

# A call that nobody has made.
NO_CALL = "00000000-0000-4000-8000-00000000000f"


async def possessions_of(stage: Stage, team: httpx.AsyncClient) -> dict[str, str]:
    """Make for a team a task with an artifact, a file, a dead letter, a schedule, a webhook that is
    told of the task, an agent and a group; the ids."""
    hook = (await team.post("/webhooks", json={"url": "https://receiver.invalid/"})).json()
    definition = pipeline("file report.png picture\nfile page.html secret")
    task_id = (await team.post("/tasks", json={"pipeline": definition})).json()["task_id"]
    await stage.ended(team, task_id)
    made = (await team.get(f"/tasks/{task_id}/artifacts")).json()["items"]
    [artifact] = (each for each in made if each["name"] == "page.html")
    file = (await team.post("/files", files={"file": ("a.txt", b"secret")})).json()
    failing = (await team.post("/tasks", json={"pipeline": pipeline("fail")})).json()["task_id"]
    await stage.ended(team, failing)
    [letter] = (await team.get("/dead-letters")).json()["items"]
    delivery = (await team.get("/webhooks/deliveries")).json()["items"][-1]
    for path in (f"/webhooks/{hook['id']}", f"/webhooks/deliveries/{delivery['id']}"):
        assert (await team.get(path)).is_success, path
    for path in (f"/files/{file['id']}", f"/artifacts/{artifact['id']}", f"/tasks/{task_id}"):
        assert (await team.get(path)).is_success, path
    bulk = (await team.post("/dead-letters/requeue", json={"filter": {"text": "no"}})).json()
    body = {"name": "theirs", "cron": "0 0 * * *", "task": {"pipeline": definition}}
    schedule = (await team.post("/schedules", json=body)).json()
    agent = await _agent(stage, team)
    group = (await team.post("/groups", json={"name": "g", "members": ["theirs"]})).json()
    [key] = (await team.get("/keys")).json()["items"]
    return {
        **agent,
        "key": key["id"],
        "group": group["id"],
        "task": task_id,
        "artifact": artifact["id"],
        "file": file["id"],
        "call": NO_CALL,
        "letter": letter["id"],
        "webhook": hook["id"],
        "delivery": delivery["id"],
        "bulk": bulk["id"],
        "schedule": schedule["id"],
    }


async def _agent(stage: Stage, team: httpx.AsyncClient) -> dict[str, str]:
    """An agent that stays, with a message. There is no model here to judge it by."""
    secret = team.headers["Authorization"].removeprefix("Bearer ")
    actor = await keys.actor_of_key(stage.database, keys.digest_of(secret))
    assert actor is not None
    agent_id = uuid4()
    new = NewResident(id=agent_id, name="theirs", definition={})
    assert isinstance(await create_resident(stage.database, actor, new, most=1), Made)
    sent = await team.post(f"/agents/{agent_id}/messages", json={"content": "Hello"})
    wanted = {"text": "water", "after": "1h"}
    set_one = await team.post(f"/agents/{agent_id}/reminders", json=wanted)
    note = await team.post(f"/agents/{agent_id}/notes", json={"text": "Tea."})
    made = {"message": sent, "reminder": set_one, "note": note}
    return {"agent": str(agent_id), **{name: each.json()["id"] for name, each in made.items()}}
