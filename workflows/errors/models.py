"""Models."""

from workflows.errors import AgentOSError


class ModelNotConfigured(AgentOSError):
    """This worker has no model configured. Set OPENAI_API_KEY, or OPENAI_BASE_URL for your own
    server, and AGENTOS_MODELS to choose among its models, for both the worker and the API; then
    retry."""


class ModelOverloaded(AgentOSError):
    """{model} is overloaded: {reason}. Retry later, or list further models in AGENTOS_MODELS."""

    retryable = True


class ModelUnavailable(AgentOSError):
    """{model} gave no complete answer: {reason}. Retry once its server is healthy."""

    retryable = True


class ModelRefused(AgentOSError):
    """{model} refused the request: {reason}. {remedy}"""


class ModelNotFound(ModelRefused):
    """The server has no model {model!r}: {reason}. Check the agent's `model`, AGENTOS_MODELS and
    OPENAI_BASE_URL."""


class ModelUnsuitable(ModelRefused):
    """{model} cannot be used: {reason}. Name a model that can call tools in AGENTOS_MODELS or in
    the agent's `model`."""


class ContextTooLong(AgentOSError):
    """What is to be sent is too long for {model}, even shortened as far as it goes: {reason}; or
    use a model with a longer context. If this one reads more than AGENTOS_CONTEXT_TOKENS says, set
    its own number in AGENTOS_MODEL_CONTEXT_TOKENS."""


class AnswerWithheld(AgentOSError):
    """A content filter withheld the answer of {model}. Reword the task, or use another model."""
