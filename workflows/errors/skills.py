"""Skills, and what their scripts need."""

from workflows.errors import AgentOSError, BadInput


class SkillNotFound(BadInput):
    """There is no skill named {skill!r}. {suggestion}"""


class SkillRefused(BadInput):
    """Skill {skill} cannot be used: {reason}."""


class ScriptNotFound(BadInput):
    """Skill {skill} has no script {script!r}. {scripts}"""


class ScriptUnsuitable(BadInput):
    """Skill {skill} has the file {script}, but it cannot be run: it is {reason}. Scripts are files
    in Python (.py), shell (.sh, .bash) or JavaScript (.js, .mjs, .cjs), or name one of these
    interpreters in a first line such as #!/usr/bin/env python3."""


class ScriptNotNamed(BadInput):
    """Skill {skill} has several scripts. Name one of them: {scripts}."""


class SkillFileNotFound(BadInput):
    """Skill {skill} has no file {path!r}. {suggestion}"""


class SkillFileUnreadable(BadInput):
    """{path} of skill {skill} cannot be read as text: {reason}."""


class DependencyRefused(BadInput):
    """{where} is refused: {reason}. Name packages and versions only, such as 'pandas>=2'."""


class ImportUndeclared(BadInput):
    """{path} of skill {skill} imports {module!r} in line {line}, which is not part of Python or of
    the skill, and no declared package has it. {remedy}"""


class DependenciesUnavailable(AgentOSError):
    """The dependencies of skill {skill} could not be installed: {reason}. Check its declaration."""


class CodePackagesUnavailable(AgentOSError):
    """{where} declares packages that could not be installed: {reason}. Check its `# /// script`
    block."""


class PythonUnsuitable(BadInput):
    """{where} requires Python {wanted}, but the sandbox has Python {present}. Widen
    requires-python, run the worker where that version is installed, or let uv bring it, with
    AGENTOS_PYTHON_DOWNLOADS=true (not in e2b)."""


class NodeMissing(AgentOSError):
    """{script} of skill {skill} needs Node.js, which is not in /usr/bin or /usr/local/bin.
    Install it there; on Debian: apt-get install nodejs."""
