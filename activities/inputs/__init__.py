"""Inputs of tasks: may they be fetched, and then their bytes on this machine, once."""

from activities.inputs.fetching import Inputs
from activities.inputs.policy import InputPolicy

__all__ = ["InputPolicy", "Inputs"]
