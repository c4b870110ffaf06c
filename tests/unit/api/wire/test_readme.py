"""What the README tells people to send is what the API takes."""

import json
import re

import yaml

from tests.folders import PROJECT
from workflows.definitions.inputs import MAX_INPUTS
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.plan import MAX_NODE_DESCRIPTION_CHARACTERS
from workflows.definitions.task_request import MAX_PROMPT_CHARACTERS, TaskRequest

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


def test_the_readme_names_the_limits_of_what_is_sent() -> None:
    text = " ".join(README.split())
    assert MAX_PROMPT_CHARACTERS == MAX_NODE_DESCRIPTION_CHARACTERS
    assert f"each node of a plan, has at most {MAX_INPUTS} inputs" in text
    assert f"a prompt, and the description of a node, {MAX_PROMPT_CHARACTERS:,} characters" in text


def test_the_readme_sets_a_parameter_that_its_prompt_gives_to_the_compiled_pipeline() -> None:
    [prompt] = re.findall(r'submit agent "(.*?)"', README)
    [name] = re.findall(r"report\.yaml .*--set (\w+)=", README)
    # An option whose value stands in the prompt becomes a parameter of its name.
    assert (name, "bar chart" in prompt) == ("kind", True)
