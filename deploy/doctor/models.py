"""Which models agents use, and whether their server answers."""

from activities.llm.base import ModelOptions
from activities.llm.endpoint import OPENAI_URL, Endpoint
from deploy.local.machine import Finding
from deploy.offline_model import LABEL
from workflows.errors import AgentOSError

_NAME = "models"
_MOST_SHOWN = 5
_REMEDY = (
    "Check that the server is running, OPENAI_BASE_URL (usually ends in /v1), OPENAI_API_KEY and "
    "AGENTOS_MODELS."
)


async def check_models(options: ModelOptions | None, *, is_embedded: bool) -> Finding:
    """Ask the server for its list. Names are not compared: many servers know more than they list,
    and Ollama's ``qwen3`` is listed as ``qwen3:latest``."""
    if options is None:
        none = "not configured; agents need OPENAI_API_KEY or OPENAI_BASE_URL"
        return Finding(_NAME, True, f"`agentos up` uses {LABEL}" if is_embedded else none)
    endpoint = Endpoint(options)
    try:
        listed = await endpoint.models()
    except AgentOSError as error:
        return Finding(_NAME, False, str(error), _REMEDY)
    finally:
        await endpoint.close()
    asked = ", ".join(options.models) or "its first"
    more = ", ..." if len(listed) > _MOST_SHOWN else ""
    lists = ", ".join(listed[:_MOST_SHOWN]) + more if listed else "none"
    url = options.base_url or OPENAI_URL
    is_usable = bool(listed or options.models)
    return Finding(_NAME, is_usable, f"{url} answers; in use: {asked}; listed: {lists}", _REMEDY)
