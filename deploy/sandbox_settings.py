"""The settings of the sandbox: which one it is, and what scripts may use in it."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from activities.sandbox.backends import DEFAULT_BACKEND, MAX_WAITING, SandboxOptions
from activities.sandbox.base import Limits
from activities.units import MEBIBYTE
from deploy.setting_values import (
    MOST_MIB,
    MOST_PROCESSES,
    MOST_WARM,
    Backend,
    Count,
    CountOrZero,
    Hosts,
    Mebibytes,
    Names,
    OrNone,
    Sendable,
    Word,
)


class SandboxSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    sandbox: Backend = DEFAULT_BACKEND
    sandbox_memory_mib: int = Field(default=2_048, ge=64, le=MOST_MIB)
    sandbox_processes: int = Field(default=128, ge=8, le=MOST_PROCESSES)
    sandbox_disk_mib: Mebibytes = 2_048
    sandbox_file_mib: Mebibytes = 1_024
    sandbox_files: Count = 10_000
    sandbox_printed_mib: Mebibytes = 16
    networked_skills: Names = ()
    python_downloads: bool = Field(default=False, description="a Python that a script asks for")
    skill_private_hosts: Hosts = Field(default=(), description="that these skills may reach")
    e2b_api_key: Sendable = Field(default=None, validation_alias="E2B_API_KEY")
    e2b_template: OrNone[Word] = None
    warm_sandboxes: int = Field(default=MAX_WAITING, ge=0, le=MOST_WARM, description="0: none")
    max_running_steps: CountOrZero = Field(default=0, description="0: four to a processor")

    @property
    def limits(self) -> Limits:
        """Bounds on a step's script; its time limits come with the step."""
        return Limits(
            memory_bytes=self.sandbox_memory_mib * MEBIBYTE,
            processes=self.sandbox_processes,
            disk_bytes=self.sandbox_disk_mib * MEBIBYTE,
            file_bytes=self.sandbox_file_mib * MEBIBYTE,
            files=self.sandbox_files,
            printed_bytes=self.sandbox_printed_mib * MEBIBYTE,
        )

    def sandbox_options(self, work_folder: Path) -> SandboxOptions:
        return SandboxOptions(
            work_folder=work_folder,
            max_running=self.running_steps,
            warm=self.warm_sandboxes,
            private_hosts=self.skill_private_hosts,
            e2b_api_key=self.e2b_api_key,
            e2b_template=self.e2b_template,
        )

    @property
    def running_steps(self) -> int:
        return self.max_running_steps or 4 * (os.cpu_count() or 1)
