"""Inputs of tasks: may they be fetched, and then their bytes on this machine, once."""
