"""Payloads as the Temporal Web UI and the ``temporal`` command send and receive them."""

from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

MAX_PAYLOADS = 10_000
MAX_FIELDS = 64


class Payload(BaseModel):
    """A protobuf message as JSON: all bytes are in base64."""

    # Payloads that are kept outside of Temporal have more fields, which are not ours to change.
    model_config = ConfigDict(extra="ignore")

    metadata: dict[str, Base64Bytes] = Field(default={}, max_length=MAX_FIELDS)
    data: Base64Bytes = b""


# Not `Payloads`: what generators of clients make of that takes the class for its property.
class CodecPayloads(BaseModel):
    model_config = ConfigDict(extra="ignore")

    payloads: Annotated[list[Payload], Field(max_length=MAX_PAYLOADS)] = []
