"""What the tests of image and compose file share."""

import os
import shlex

import pytest

from tests.containers.docker import docker


@pytest.fixture(scope="session")
def image() -> str:
    options = shlex.split(os.environ.get("AGENTOS_BUILD_OPTIONS", ""))
    docker("build", *options, "-f", "Dockerfile", "-t", "agentos", "..")
    return "agentos"
