"""What happened within a task, as the answers of the API."""

from dataclasses import asdict

from activities.store.reading.attempts import LoggedAttempt
from activities.store.reading.messages import StoredMessage
from activities.store.told import Told
from api.wire.responses import history as answers
from api.wire.responses.tasks import SkillUsed


def attempt(logged: LoggedAttempt) -> answers.Attempt:
    return answers.Attempt(
        id=logged.id,
        step=logged.step,
        sub_task_id=logged.sub_task_id,
        run=logged.run,
        attempt=logged.number,
        status=logged.status,
        worker_id=logged.worker_id,
        exit_code=logged.exit_code,
        duration_ms=logged.duration_ms,
        tokens_used=logged.tokens_used,
        stdout=logged.stdout,
        stderr=logged.stderr,
        error=logged.error and logged.error.model_dump(exclude_none=True),
        started_at=logged.started_at,
        finished_at=logged.finished_at,
        skill=logged.skill and SkillUsed(**asdict(logged.skill)),
    )


def message(stored: StoredMessage) -> answers.Message:
    return answers.Message(
        seq=stored.seq,
        turn=stored.turn,
        role=stored.role,
        content=stored.content,
        requests=[answers.ToolRequest(**asdict(request)) for request in stored.requests],
        request_id=stored.request_id,
        sub_task_id=stored.sub_task_id,
        model=stored.model,
        usage=_usage(stored) if stored.role == "assistant" else None,
        created_at=stored.created_at,
        from_name=stored.from_name,
    )


def told(message: Told) -> answers.ToldMessage:
    return answers.ToldMessage(**asdict(message))


def _usage(answer: StoredMessage) -> answers.ModelUsage:
    return answers.ModelUsage(
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cost_usd=answer.cost_usd,
        first_token_ms=answer.first_token_ms,
        duration_ms=answer.duration_ms,
    )
