"""Why nothing is sent to a URL, or not signed."""

from workflows.errors import AgentOSError, BadInput


class EndpointRefused(BadInput):
    """{url} may not be called: {reason}."""


class SecretMalformed(BadInput):
    """It is not a secret of a webhook: write whsec_ and 24 to 64 bytes in base64, or leave it out
    to have one made."""


class SecretUnreadable(AgentOSError):
    """The secret of the webhook cannot be opened: it was sealed with a key that is not in
    AGENTOS_SECRETS_KEY of this API. Give it that key; if it is lost, make the webhook, or the
    secret of the callbacks, anew."""
