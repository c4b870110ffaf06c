"""What a team uses of each model: counted with the answer, beside what it uses in all.

Answers that broke off are counted in all only: of those nobody says here which model it was.
"""

# A name is a part of a key, and there is a limit to those.
_NAME_CHARACTERS = 200


def count_for_model(source: str, prompt_tokens: str, completion_tokens: str, cost_usd: str) -> str:
    """A piece of a statement that counts what ``:model`` took. ``source`` has a ``team_id``, or no
    row when nothing is to be counted."""
    return f"""
    INSERT INTO model_usage (team_id, day, model, prompt_tokens, completion_tokens, cost_usd)
    SELECT team_id, (now() AT TIME ZONE 'utc')::date,
           left(CAST(:model AS text), {_NAME_CHARACTERS}),
           {prompt_tokens}, {completion_tokens}, {cost_usd}
    FROM {source} WHERE CAST(:model AS text) <> ''
    ON CONFLICT (team_id, day, model) DO UPDATE
        SET prompt_tokens = model_usage.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = model_usage.completion_tokens + excluded.completion_tokens,
            cost_usd = model_usage.cost_usd + excluded.cost_usd
    """
