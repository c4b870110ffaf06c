"""The error of all that is wrong with a file.

Every skill that reads CSV carries this same module, because a skill's folder stands alone.
"""


class BadInput(Exception):
    """What is wrong, where, and what to do; the script ends with exit code 2."""
