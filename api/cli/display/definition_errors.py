"""Which failures may come again however often a pipeline is run: it has to be mended first."""

from workflows.errors import inputs, scripts, skills, tools

# Nothing but the pipeline can be wrong.
OF_THE_PIPELINE = frozenset(
    error.code
    for error in (
        inputs.ReferenceMalformed,
        inputs.ForeachMalformed,
        skills.CodePackagesUnavailable,
        tools.ToolArgumentsInvalid,
    )
)

# Of a step that runs code: that is in the pipeline, where a skill is not.
OF_ITS_CODE = frozenset(error.code for error in (scripts.ModuleMissing, skills.DependencyRefused))

# The pipeline, or what it runs or was given: a script that has named its file otherwise this time,
# a skill or a tool that was not there yet.
OF_EITHER = OF_ITS_CODE | frozenset(
    error.code
    for error in (
        inputs.ReferenceUnresolved,
        inputs.ItemsUnusable,
        skills.SkillNotFound,
        skills.ScriptNotFound,
        skills.ScriptNotNamed,
        skills.ImportUndeclared,
        skills.PythonUnsuitable,
        tools.ToolNotFound,
    )
)
