"""The settings as the environment has them: which are set, which are wrong, which are none."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from deploy import settings
from deploy.local.machine import Finding
from deploy.settings import Settings, WithoutServices

_PREFIX = "AGENTOS_"
_SECRETS = "AGENTOS_SECRET_"
# Read by the commands and by compose, and not by API and worker.
_OTHERS = (
    *("AGENTOS_API_URL", "AGENTOS_API_KEY", "AGENTOS_PORT", "AGENTOS_SKILLS_FOLDER"),
    *("AGENTOS_STOP_GRACE", "AGENTOS_TEMPORAL_UI_PORT", "AGENTOS_TEMPORAL_UI_KEY"),
)
# Whoever sees a URL of a database can often log in to it.
_HIDDEN = (
    "AGENTOS_DATABASE_URL",
    "AGENTOS_DATABASE_READ_URL",
    "AGENTOS_API_KEY",
    "AGENTOS_TEMPORAL_UI_KEY",
)
# For what has no default: whoever takes them looks first whether the variable is wrong.
_STAND_INS = {"database_url": "postgresql+asyncpg://nobody", "s3_endpoint": "http://nobody.invalid"}
_TEMPORAL = "TEMPORAL_"
_TEMPORAL_SECRETS = re.compile("TEMPORAL_(API_KEY|GRPC_META_.*|TLS_.*_DATA|CODEC_AUTH)")
_LONGEST_SHOWN = 80
_WRONG_REMEDY = "Correct it, or unset it; the README says what it means."


def examine(environment: Mapping[str, str], *, with_services: bool) -> list[Finding]:
    """Whether each variable of ours can be used. With ``with_services``, those that name services
    must be there."""
    known = {settings.variable(name): field for name, field in Settings.model_fields.items()}
    wrong = _problems(Settings if with_services else WithoutServices, {})
    found = [Finding(name, False, reason, _WRONG_REMEDY) for name, reason in wrong]
    found += _missing_folders()
    found += unknown(environment)
    bad = {name for name, _ in wrong}
    starts = (_SECRETS, _TEMPORAL) if with_services else (_SECRETS,)
    shown = [
        f"{name}={_shown(name, value, known.get(name))}"
        for name, value in sorted(environment.items())
        if name not in bad and (name in known or name in _OTHERS or name.startswith(starts))
    ]
    detail = ", ".join(shown) or "none is set"
    return [Finding("settings", True, f"{detail}; all others have their defaults"), *found]


def unknown(environment: Mapping[str, str]) -> list[Finding]:
    """Variables that look like settings and are none, each with the one that was meant."""
    known = {settings.variable(name): field for name, field in Settings.model_fields.items()}
    return [_unknown(name, known) for name in sorted(environment) if _is_none(name, known)]


def _missing_folders() -> list[Finding]:
    """Of skills, which workers pass over: a shared folder may come later."""
    missing = ", ".join(str(each) for each in usable().skill_folders if not each.is_dir())
    if not missing:
        return []
    name = settings.variable("skills_path")
    return [Finding(name, False, f"no such folder: {missing}", "Make it, or correct it.")]


def usable(*, with_services: bool = False) -> Settings:
    """The settings, with the default of each that is wrong. Those of services are left out, or
    ``with_services`` stand for something else where they are wrong."""
    kind = Settings if with_services else WithoutServices
    known: dict[str, Any] = {}
    fields = {settings.variable(name): name for name in Settings.model_fields}
    for variable, _ in _problems(kind, known):
        name = fields[variable]
        field = Settings.model_fields[name]
        known[str(field.validation_alias or name)] = _instead(name, field)
    return kind(**known)


def _instead(name: str, field: FieldInfo) -> object:
    if field.is_required():
        return _STAND_INS[name]
    default = field.get_default(call_default_factory=True, validated_data={})
    return "{}" if default == {} else default  # What is read as JSON is written so.


def _problems(kind: type[Settings], known: Mapping[str, Any]) -> list[tuple[str, str]]:
    try:
        kind(**known)
    except ValidationError as error:
        return settings.problems_in(error)
    return []


def _is_none(name: str, known: Mapping[str, FieldInfo]) -> bool:
    is_ours = name.startswith(_PREFIX) and not name.startswith(_SECRETS)
    return is_ours and name not in known and name not in _OTHERS


def _unknown(name: str, known: Mapping[str, FieldInfo]) -> Finding:
    near = difflib.get_close_matches(name, [*known, *_OTHERS], n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return Finding(
        name, False, "there is no such setting", f"{meant}The README lists every variable."
    )


def _shown(name: str, value: str, field: FieldInfo | None) -> str:
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    is_secret = name.startswith(_SECRETS) or name in _HIDDEN or SecretStr in kinds
    if is_secret or _TEMPORAL_SECRETS.fullmatch(name) or "@" in value:
        return "(set)"
    return value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}..."
