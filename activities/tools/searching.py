"""Web search at a provider of the SearXNG kind: one GET, answered in JSON."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from activities.inputs.https import HttpsDownloads
from activities.inputs.policy import InputPolicy
from activities.pinned_http import Resolve, read_whole, resolve_by_system
from workflows.definitions import inputs
from workflows.definitions.inputs import HttpsRef
from workflows.errors import AgentOSError, BadInput
from workflows.errors.tools import SearchFailed

MAX_RESULTS = 20
MAX_ANSWER_BYTES = 2 * 1024 * 1024
TIMEOUT_SECONDS = 20.0

_TITLE_CHARACTERS = 200
_URL_CHARACTERS = 2_000
_SNIPPET_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One result; each text is a single line, cut to its limit."""

    title: str
    url: str
    snippet: str


class _Entry(BaseModel):
    title: str = ""
    url: str = ""
    content: str | None = None


class _Answer(BaseModel):
    results: list[_Entry]


class WebSearch:
    """``url`` is the provider's, such as ``https://search.example/search``.

    The same policy holds as for inputs: the host must be an allowed one, and its addresses public
    unless it may be inside the house.
    """

    def __init__(
        self,
        url: str,
        policy: InputPolicy,
        resolve: Resolve = resolve_by_system,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Raises ``BadInput`` when the policy forbids ``url``, ``InputRefMalformed``."""
        ref = inputs.parse(url)
        reason = policy.refusal(ref) if isinstance(ref, HttpsRef) else "it is not an https:// URL"
        if reason is not None:
            raise BadInput(reason=f"{ref} cannot be used for web search: {reason}")
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._downloads = HttpsDownloads(policy, resolve)

    async def find(self, query: str, limit: int = MAX_RESULTS) -> list[Found]:
        """The first results.

        Raises ``SearchFailed``, which is worth another try when the provider is away.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = _Answer.model_validate_json(await self._get(query))
        except TimeoutError:
            reason = f"no answer within {self._timeout_seconds:g} s"
            raise _failed(reason, retryable=True) from None
        except ValidationError as error:
            raise SearchFailed(reason="the provider's answer is not of the known form") from error
        except AgentOSError as error:
            raise _failed(str(error).rstrip("."), retryable=error.retryable) from error
        return list(_sound(answer.results, limit))

    async def _get(self, query: str) -> bytes:
        separator = "&" if "?" in self._url else "?"
        ref = inputs.parse(f"{self._url}{separator}{urlencode({'q': query, 'format': 'json'})}")
        assert isinstance(ref, HttpsRef)
        async with self._downloads.open(ref) as chunks:
            return await read_whole(chunks, MAX_ANSWER_BYTES)


def _failed(reason: str, *, retryable: bool) -> SearchFailed:
    failed = SearchFailed(reason=reason)
    failed.retryable = retryable
    return failed


def _sound(entries: list[_Entry], limit: int) -> Iterator[Found]:
    links = [entry for entry in entries if _is_link(entry.url)]
    for entry in links[:limit]:
        yield Found(
            title=_line(entry.title, _TITLE_CHARACTERS) or entry.url,
            url=entry.url,
            snippet=_line(entry.content or "", _SNIPPET_CHARACTERS),
        )


def _is_link(url: str) -> bool:
    return (
        url.startswith(("https://", "http://"))
        and url.isprintable()
        and " " not in url
        and len(url) <= _URL_CHARACTERS
    )


def _line(text: str, limit: int) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[:limit]}..."
