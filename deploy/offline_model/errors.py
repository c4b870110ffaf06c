"""What can be wrong with a request to the offline model."""

from deploy.offline_model import MODEL
from workflows.errors import BadInput


class RequestMalformed(BadInput):
    """The body is not a chat completion request: {reason}"""


class BodyTooLarge(BadInput):
    """The body is larger than {limit} bytes, which is the limit of the offline model."""


class ModelUnknown(BadInput):
    __doc__ = f"""There is no model {{model!r}} here: this is {MODEL}, a set of keyword rules and
    not a language model. To use {{model!r}}, set OPENAI_API_KEY or OPENAI_BASE_URL."""


class ScriptUnknown(BadInput):
    """There is no script {script!r}. Register it with POST /scripts first."""


class ScriptAtEnd(BadInput):
    """The script {script!r} has no reply left: it had {replies}."""


class NotLoopback(BadInput):
    """The offline model requires no key, so it is served on this machine only, not on {host}.
    Leave out --host."""
