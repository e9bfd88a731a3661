"""What is wrong in the narratives that are shown, counted by the independent checker."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from evals.case import Case
from evals.checker.check import Checked, check_narrative, check_sentence
from evals.checker.citations import check_citations
from evals.checker.truth import truth_of
from evals.one_prompt import ask_everything
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import run_agent, run_rules
from evals.task import Bench, Task


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    folder = prepared(case.given, bench.folder)
    rules = run_rules([folder], bench)
    if system == "llm-everything-in-one-prompt":
        answer = await ask_everything(folder, bench, case.language)
        truth = truth_of(rules.to_json())
        return _counted((text, check_sentence(text, truth)) for text in answer.narrative)
    if system == "rules":
        return _counted(check_narrative(rules.to_json()))
    done = await run_agent(folder, bench=bench, language=case.language)
    assessment = done.outcome.assessment
    body = assessment.to_json()
    measured = _counted(check_narrative(body))
    cited = check_citations(body)
    record = assessment.agent
    counts = dict(measured.counts)
    notes = list(measured.notes)
    counts["citations"] = Count(hits=cited.cited - len(cited.unresolved), of=cited.cited)
    counts["guideline"] = Count(hits=cited.passages - len(cited.foreign), of=cited.passages)
    counts["headline"] = Count.of_all([assessment.narrative.headline == rules.narrative.headline])
    notes += [f"citation leads nowhere: {one}" for one in cited.unresolved]
    notes += [f"not the text of its card: {one}" for one in cited.foreign]
    if record is not None and bench.model() is not None:
        writing = record.writing
        counts["model_used"] = Count.of_all([record.mode == "with language model"])
        if writing.written:
            counts["survival"] = Count(hits=writing.survived, of=writing.written)
            counts["survival_first"] = Count(hits=writing.survived_first, of=writing.written)
            share = writing.survived / writing.written
            counts["survival_80"] = Count.of_all([share >= 0.8])
        else:
            counts["survival_80"] = Count.of_all([False])
        notes += [f"dropped: {reason}" for reason in writing.dropped]
        notes += [f"degraded: {record.reason}"] if record.reason else []
    return Measured(counts=counts, notes=tuple(notes))


def _counted(checked: Iterable[tuple[str, Checked]]) -> Measured:
    found = list(checked)
    claims = sum(one.claims for _, one in found)
    wrong = [(text, w) for text, one in found for w in one.wrong]
    return Measured(
        counts={
            "wrong_facts": Count(hits=len(wrong), of=max(claims, len(wrong))),
            "wrong_sentences": Count.of_all(bool(one.wrong) for _, one in found),
            "checkable": Count.of_all(one.claims > 0 for _, one in found),
        },
        notes=tuple(f"{w.kind}: {w.detail}: {text}" for text, w in wrong),
    )


def _owed(case: Case, system: System) -> Mapping[str, float]:
    # A narrative that was not given shows nothing wrong; that the model failed is counted.
    told = {"headline": 1.0} if system in ("agent", "rules") else {}
    return {"survival_80": 1.0, "model_used": 1.0, **told} if system == "agent" else told


TASK = Task(
    name="grounding",
    title="How many wrong facts are shown, and do all citations lead somewhere?",
    metrics=(
        Metric(id="wrong_facts", title="wrong facts among those shown", better="lower", must=0.0),
        Metric(id="wrong_sentences", title="sentences with a wrong fact", better="lower", must=0.0),
        Metric(id="survival", title="the model's sentences that are shown"),
        Metric(id="survival_first", title="the model's sentences that pass as first written"),
        Metric(id="survival_80", title="cases where at least 80 % of them are shown"),
        Metric(id="model_used", title="cases where the model was used to the end"),
        Metric(id="citations", title="citations that lead to their source", must=1.0),
        Metric(id="guideline", title="guideline sentences that are their card's own", must=1.0),
        Metric(id="headline", title="headlines that are the pathway's", must=1.0),
        Metric(id="checkable", title="sentences with something the checker can check"),
    ),
    systems=("agent", "rules", "llm-everything-in-one-prompt"),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
)
