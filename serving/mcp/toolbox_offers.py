"""The tools of the toolbox as offers: the schema is the signature, the description the card."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, create_model

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from knowledge.plain_text import visible
from knowledge.settings import Settings
from serving.mcp.case_root import CaseRoots
from serving.mcp.offer import Json, Offer, closed, parsed
from tools.ecg.model import EcgRecording
from tools.imaging.in_case.model import StudyImages
from tools.imaging.in_case.tasks import limits_of, measure_tasks
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles
from tools.toolbox import Tool, discover

CASE = "case"
_CASE_SCHEMA = {
    "type": "string",
    "title": "Case",
    "description": "Folder of the patient who has it, below a folder of cases",
}


def toolbox_offers(
    roots: CaseRoots, settings: Settings, clock: Callable[[], ClinicalTime]
) -> tuple[Offer, ...]:
    """Return every tool that is found, by name.

    A recording or imaging study is given by its id together with the case that has it, never as
    samples or pixels.

    Args:
        roots: Below which folders cases lie.
        settings: Limits and switches.
        clock: The current moment.
    """
    return tuple(_offer(tool, roots, settings, clock) for tool in discover().values())


def described(tool: Tool[..., Any]) -> str:
    """Return the card of a tool in words."""
    card = tool.card
    lines = [tool.summary]
    for title in ("needs", "refuses", "limits", "accuracy", "sources"):
        rows = getattr(card, title)
        if rows:
            lines.append(f"{title.capitalize()}: " + "; ".join(rows))
    lines.append("A finding that is not known is not_assessed with the reason, never absent.")
    lines.append(f"Version {tool.version}; {card.regulatory}; research use only.")
    return "\n".join(lines)


def _offer(
    tool: Tool[..., Any], roots: CaseRoots, settings: Settings, clock: Callable[[], ClinicalTime]
) -> Offer:
    recordings, studies = tuple(_of_type(tool, EcgRecording)), tuple(_of_type(tool, StudyImages))
    of_case = (*recordings, *studies)
    model = _arguments(tool, of_case)

    def run(arguments: Mapping[str, Any]) -> Json:
        if tool.card.regulatory == "device-function" and not settings.device_functions:
            raise UnavailableError(
                tool.name, "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on"
            )
        given = parsed(model, arguments, tool=tool.name)
        values = {name: getattr(given, name) for name in model.model_fields}
        if of_case:
            case = read_case(
                [roots.path(values.pop(CASE))], at=None, now=clock(), settings=settings
            )
            read = case.recordings
            values |= {name: _recording(read, values[name]) for name in recordings}
            values |= {name: _images(case, values[name], tool, settings) for name in studies}
        result: BaseModel = tool(**values)
        return result.model_dump(mode="json", exclude_none=True)

    schema = closed(tool.input_schema())
    if of_case:
        schema["properties"] = {CASE: _CASE_SCHEMA, **schema["properties"]}
        schema["required"] = [CASE, *schema.get("required", ())]
    return Offer(
        name=tool.name,
        title=tool.card.title,
        description=described(tool),
        input_schema=schema,
        output_schema=tool.output_schema(),
        run=run,
    )


def _of_type(tool: Tool[..., Any], kind: type) -> Iterator[str]:
    """Yield the names of the parameters that are things of a case: recordings, or studies."""
    for name, parameter in _parameters(tool).items():
        if parameter.annotation is kind:
            yield name


def _arguments(tool: Tool[..., Any], of_case: tuple[str, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (
            str if name in of_case else p.annotation,
            ... if p.default is p.empty else p.default,
        )
        for name, p in _parameters(tool).items()
    }
    if of_case:
        if CASE in fields:
            raise ValueError(f"{tool.name}: a parameter may not be called {CASE!r}")
        fields[CASE] = (str, ...)
    return create_model(tool.name, **fields)


def _parameters(tool: Tool[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(tool.function, eval_str=True).parameters


def _recording(read: Mapping[str, EcgRecording], wanted: str) -> EcgRecording:
    found = [recording for recording in read.values() if recording.id == wanted]
    if found:
        return found[0]
    known = ", ".join(f"{recording.id} ({recording.file})" for recording in read.values())
    if not known:
        raise ContractError("case", "has no ECG recording", "give a case with one")
    raise InvalidValueError(
        f"recording {visible(wanted)[:80]}", "the case has none of that id", f"it has {known}"
    )


def _images(case: CaseFiles, wanted: str, tool: Tool[..., Any], settings: Settings) -> StudyImages:
    """Return the images of one study that a tool measures, the first where it has several.

    Raises:
        ContractError: The case has no image, or the tool is for another kind of image.
        InvalidValueError: The case has no study of that id.
    """
    found = [study for study in case.studies if study.id == wanted]
    if not found:
        known = ", ".join(f"{study.id} ({study.title})" for study in case.studies)
        if not known:
            raise ContractError("case", "has no image", "give a case with one")
        raise InvalidValueError(
            f"study {visible(wanted)[:80]}", "the case has none of that id", f"it has {known}"
        )
    limits = limits_of(settings)
    for task in measure_tasks(found[0], case.images, limits):
        if task.tool == tool.name and task.refused is None:
            return task.images
    raise ContractError(
        f"study {found[0].id}", f"{tool.name} is not for {found[0].title}", "give another tool"
    )
