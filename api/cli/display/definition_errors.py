"""Which failures come again however often a pipeline is run: it has to be mended first."""

from workflows.errors import inputs, scripts, skills, tools

OF_THE_DEFINITION = frozenset(
    error.code
    for error in (
        inputs.ReferenceMalformed,
        inputs.ForeachMalformed,
        inputs.ReferenceUnresolved,
        inputs.ItemsUnusable,
        scripts.ModuleMissing,
        skills.SkillNotFound,
        skills.ScriptNotFound,
        skills.ScriptNotNamed,
        skills.DependencyRefused,
        skills.ImportUndeclared,
        skills.CodePackagesUnavailable,
        skills.PythonUnsuitable,
        tools.ToolNotFound,
        tools.ToolArgumentsInvalid,
    )
)
