"""What the README tells people to send is what the API takes."""

import json
import re

import yaml

from api.wire.requests import TaskRequest
from tests.folders import PROJECT
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of

README = (PROJECT / "README.md").read_text()


def test_the_request_that_the_readme_sends_with_curl_is_sound() -> None:
    [body] = re.findall(r"api/v1/tasks .*?-d '(.*?)'\n", README, re.DOTALL)
    request = TaskRequest.model_validate(json.loads(body))
    assert request.pipeline is not None
    assert problems_of(request.pipeline, request.inputs) == []


def test_the_pipeline_of_the_readme_is_sound() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    pipeline = Pipeline.model_validate(yaml.safe_load(text))
    assert problems_of(pipeline, {"sales": "file:x"}) == []
