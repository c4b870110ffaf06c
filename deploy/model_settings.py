"""The settings of models: where they are, which ones are asked, and what they cost."""

from pydantic import Field
from pydantic_settings import BaseSettings

from activities.llm.base import ModelOptions
from deploy.setting_values import (
    MIN_CONTEXT_TOKENS,
    ContextTokens,
    ModelLimits,
    Names,
    OrNone,
    Prices,
    Sendable,
    WebUrl,
)
from workflows.definitions.agent import MAX_TOKENS


class ModelSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    models: Names = Field(default=(), description="tried in order; empty: the server's first")
    openai_api_key: Sendable = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: OrNone[WebUrl] = Field(default=None, validation_alias="OPENAI_BASE_URL")
    prices: Prices = Field(default={}, validate_default=False, description="by model, in JSON")
    context_tokens: int = Field(default=128_000, ge=MIN_CONTEXT_TOKENS, le=MAX_TOKENS)
    model_context_tokens: ContextTokens = Field(
        default={}, validate_default=False, description="by model, in JSON"
    )

    model_limits: ModelLimits = Field(
        default={}, validate_default=False, description="by model, in JSON, for all teams together"
    )

    @property
    def model_options(self) -> ModelOptions | None:
        """None when nothing was said of models: then there is nobody to be an agent."""
        if not (self.openai_api_key or self.openai_base_url):
            return None
        return ModelOptions(
            models=self.models,
            base_url=self.openai_base_url,
            api_key=self.openai_api_key,
            prices=self.prices,
            context_tokens=self.context_tokens,
            model_context_tokens=self.model_context_tokens,
            limits=self.model_limits,
        )
