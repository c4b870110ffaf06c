"""What a command sends, made of what its options say."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.cli.errors import DocumentInvalid, RequestInvalid
from workflows.pointers import problems_in

Model = TypeVar("Model", bound=BaseModel)


def built(
    model: type[Model],
    document: Mapping[str, object],
    refusal: type[DocumentInvalid] = RequestInvalid,
) -> Model:
    """A ``model`` of the document; all bodies of requests are made here, before anything is sent.

    Raises:
        refusal: with every problem, in the words that the API has for it.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise refusal(problems_in(found, document, model=model)) from error
