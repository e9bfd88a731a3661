"""The baseline that everybody builds first: one call, the whole case in the prompt."""

from pathlib import Path
from typing import Any, Literal

from agent.assess import assess_paths
from agent.llm.errors import LLMIncoherentError
from agent.llm.seam import ChatRequest, Message
from evals.systems import NoModelError
from evals.task import Bench
from knowledge.finding import Finding, State
from knowledge.model import Frozen
from knowledge.passages import Language

Verdict = Literal["supported", "argued against", "not assessed"]

DIAGNOSES = ("acs", "aortic_dissection", "pulmonary_embolism")
SENTENCES = 5
_MOST = 12_000
"""Characters of the case: all of every bundled example."""

_LEAD_BY_LEAD = ("ST level at",)
"""Thirty-six numbers that the findings of the ECG already tell in words."""

_TIMEOUT_S = 300.0

_TASK: dict[Language, str] = {
    "en": (
        "You assess one emergency patient with acute chest pain from the data below. "
        "Reply in JSON: "
        "urgency; a verdict on each diagnosis; the troponin zone of the ESC 0/1 h algorithm; the "
        "points of HEART, GRACE in-hospital, ADD-RS and Wells (pulmonary embolism), -1 where data "
        "are missing; and five short sentences in English that summarise the patient's data."
    ),
    "zh": (
        "根据下面的数据评估一名急性胸痛的急诊患者。以 JSON 回答: urgency; 每个诊断的判断; "
        "ESC 0/1 小时算法的肌钙蛋白分区; HEART、GRACE 院内、ADD-RS、Wells(肺栓塞)评分的分数, "
        "数据不足时为 -1; 以及五句简短的中文, 总结患者的数据。"
    ),
}


class EverythingAnswer(Frozen):
    """What the model answered.

    Args:
        urgency: How soon.
        verdicts: By diagnosis.
        troponin: Zone.
        points: By tool; None where it says that data are missing.
        narrative: Sentences, not verified by anything.
        prompt: What it was shown.
    """

    urgency: str
    verdicts: dict[str, Verdict]
    troponin: str
    points: dict[str, float | None]
    narrative: tuple[str, ...]
    prompt: str


async def ask_everything(case: Path, bench: Bench, language: Language) -> EverythingAnswer:
    """Return the answer of one call with the whole case.

    The waveform of an ECG is no text: what our own analysis found in it is given in words, which
    favours this baseline.

    Raises:
        LLMError: There is no model, or it gave nothing that can be used.
    """
    llm = bench.model()
    if llm is None:
        raise NoModelError("language model", bench.no_llm, "configure one")
    shown = whole_case(case, bench)
    reply = await llm.chat(
        ChatRequest(
            purpose="everything",
            messages=(
                Message(role="system", content=_TASK[language]),
                Message(role="user", content=shown),
            ),
            json_schema=answer_schema(),
            max_tokens=600,
            timeout_s=_TIMEOUT_S,
        )
    )
    if not isinstance(reply.data, dict):
        raise LLMIncoherentError("everything", "the reply is not an object", "ask another model")
    data: dict[str, Any] = reply.data
    return EverythingAnswer(
        urgency=data["urgency"],
        verdicts={key: data["verdicts"][key] for key in DIAGNOSES},
        troponin=data["troponin"],
        points={k: None if v < 0 else float(v) for k, v in data["points"].items()},
        narrative=tuple(data["narrative"]),
        prompt=shown,
    )


def answer_schema() -> dict[str, Any]:
    """Return the schema of the reply; every length is bounded."""
    verdict = {"enum": ["supported", "argued against", "not assessed"]}
    zones = ["rule-out", "observe", "rule-in", "need second sample", "not assessed"]
    points = ("heart", "grace_in_hospital", "add_rs", "wells_pe")
    number = {"type": "number", "minimum": -1, "maximum": 400}
    return _object(
        {
            "urgency": {"enum": ["immediate", "urgent", "routine"]},
            "verdicts": _object(dict.fromkeys(DIAGNOSES, verdict)),
            "troponin": {"enum": zones},
            "points": _object(dict.fromkeys(points, number)),
            "narrative": {
                "type": "array",
                "minItems": 1,
                "maxItems": SENTENCES,
                "items": {"type": "string", "minLength": 1, "maxLength": 240},
            },
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def whole_case(case: Path, bench: Bench) -> str:
    """Return everything the record says, as text: every finding of the assessment, and the notes.

    Scores and verdicts are left out: they are what is asked for.
    """
    outcome = assess_paths([case], at=None, now=bench.now, settings=bench.settings)
    assessment = outcome.assessment
    zone = assessment.time_zone
    lines = [f"Assessment at {assessment.provenance.at.show(zone)}."]
    told = [f for f in assessment.findings if not f.concept.text.startswith(_LEAD_BY_LEAD)]
    lines += dict.fromkeys(_line(f, zone) for f in told if f.state is State.PRESENT)
    absent = dict.fromkeys(f.concept.text for f in told if f.state is State.ABSENT)
    lines.append(f"Absent: {'; '.join(absent)}.")
    lines += [note.text for note in outcome.case.notes] if outcome.case is not None else []
    return "\n".join(lines)[:_MOST]


def _line(finding: Finding, zone: str | None) -> str:
    unit = finding.quantity.unit if finding.quantity is not None else ""
    value = finding.choice or (f"{finding.interval} {unit}" if finding.quantity is not None else "")
    time = f", {finding.time.show(zone)}" if finding.time is not None else ""
    where = f" ({finding.body_site})" if finding.body_site else ""
    return f"- {finding.concept.text}{where}: {value or 'present'}{time}"
