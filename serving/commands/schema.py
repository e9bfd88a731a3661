"""``epicrisis schema NAME``: the published JSON schemas."""

from typing import Annotated, Any

import orjson
import typer

from agent.assessment import Assessment
from agent.llm.pool.config import PoolFile
from knowledge.errors import InvalidValueError
from knowledge.finding import Finding
from knowledge.model import Frozen
from knowledge.risk import Risk
from knowledge.timeline import Timeline
from tools.intake.case_file import CaseFile
from tools.intake.tables.mapping import LabMapping
from tools.models.contract import ModelContract
from tools.models.measure.calibrate import CalibrationReport
from tools.models.measure.evaluate import Evaluation
from tools.models.result import ModelResult
from tools.quality.model import QualityReport
from tools.readings.model import Reading
from tools.toolbox import discover

SCHEMAS: dict[str, type[Frozen]] = {
    "assessment": Assessment,
    "case": CaseFile,
    "data-quality": QualityReport,
    "finding": Finding,
    "lab-mapping": LabMapping,
    "llm-pool": PoolFile,
    "model": ModelContract,
    "model-calibration": CalibrationReport,
    "model-evaluation": Evaluation,
    "model-result": ModelResult,
    "reading": Reading,
    "risk": Risk,
    "timeline": Timeline,
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema(
    name: Annotated[
        str, typer.Argument(help="assessment, case, finding, risk, timeline, or a tool's name")
    ],
) -> None:
    """Print a JSON schema on standard output."""
    text = orjson.dumps(json_schema(name), option=orjson.OPT_INDENT_2).decode()
    typer.echo(text)


def json_schema(name: str) -> dict[str, Any]:
    """Return a published JSON schema (draft 2020-12), of a type or of a tool's input and output.

    Raises:
        InvalidValueError: There is no schema of that name.
    """
    if name in SCHEMAS:
        body = SCHEMAS[name].model_json_schema(mode="serialization")
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    found = discover().get(name)
    if found is None:
        known = ", ".join([*SCHEMAS, *discover()])
        raise InvalidValueError(f"schema {name!r}", "there is none of that name", f"one of {known}")
    return {"tool": found.name, "input": found.input_schema(), "output": found.output_schema()}
