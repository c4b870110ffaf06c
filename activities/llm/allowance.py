"""What a run has left for a turn, and how long an answer may be that keeps within it."""

from dataclasses import dataclass

from workflows.errors.agents import TokensUsedUp

# A shorter answer is none: the call of a tool, with its arguments, takes some hundred tokens.
LEAST_ANSWER_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Allowance:
    """``left_tokens`` of the ``limit_tokens`` of a run are left for prompts and answers."""

    left_tokens: int
    limit_tokens: int

    def less(self, tokens: int) -> "Allowance":
        """What is left when so many more are used."""
        return Allowance(self.left_tokens - tokens, self.limit_tokens)

    def answer_tokens(self, prompt_tokens: int) -> int:
        """How long the answer to a prompt of this size may be.

        Raises:
            TokensUsedUp: the prompt leaves no room for one.
        """
        room = self.left_tokens - prompt_tokens
        if room < LEAST_ANSWER_TOKENS:
            used = self.limit_tokens - self.left_tokens
            raise TokensUsedUp(used=used, limit=self.limit_tokens)
        return room
