"""What is needed to replay a result: versions, hashes, overrides."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from agent.assessment import Provenance
from agent.runner import Log
from knowledge.clinical_time import ClinicalTime
from knowledge.reference import table_hash, table_names
from tools.intake.result import InputFile, Override

_COMPUTE = ("numpy", "pydicom", "ecgdatakit", "orjson", "pydantic")


def provenance(
    files: Sequence[InputFile],
    *,
    at: ClinicalTime,
    pathway: str,
    log: Log,
    overrides: Sequence[Override],
    site: Mapping[str, str] | None = None,
) -> Provenance:
    """Return the provenance of one assessment, before its result is hashed.

    Args:
        files: The inputs.
        at: The moment of assessment.
        pathway: Its name.
        log: The tools that ran.
        overrides: Explicit statements that were used.
        site: Files of the site that were judged by, with their hashes.
    """
    hashes = sorted(item.sha256 for item in files if item.sha256)
    return Provenance(
        epicrisis=installed("epicrisis"),
        python=platform.python_version(),
        at=at,
        pathway=pathway,
        tools=tuple(log.runs),
        reference_sha256={**{name: table_hash(name) for name in table_names()}, **(site or {})},
        inputs_sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        overrides=tuple(_override(override) for override in overrides),
        packages={name: installed(name) for name in _COMPUTE},
    )


@cache
def installed(package: str) -> str:
    """Return the installed version of a package, or that it is not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def _override(override: Override) -> str:
    differs = f"; differs in {', '.join(override.differs)}" if override.differs else ""
    return f"{override.file}: same patient by {override.by}{differs}"
