"""From the outcomes of a score to the `Risk` that is reported: words, items, caveats, sources."""

from collections.abc import Iterable, Iterator, Mapping

from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import State
from knowledge.low_risk import NEVER_LOW, low_risk_blocks
from knowledge.reference import Citation, Review
from knowledge.risk import NOT_DETERMINED, Band, ItemResult, MissingInput, Risk, points_words
from knowledge.rules import Answer, holds
from knowledge.score_rows import Item, Note, Row, ScoreBand
from knowledge.scores import Score
from tools.risk.contract import Refusal, Scope
from tools.risk.inputs import Input
from tools.risk.outcomes import Outcomes
from tools.risk.probability import approximate

CONDITIONAL = "Check that the score applies"
"""How the caveat begins of a score whose population is not sure."""

NOT_ASSESSED = "not assessed"
"""Category of a score that does not apply, or that needs something known before it may."""

Inputs = Mapping[str, Input]


def refused(score: Score, inputs: Inputs, refusal: Refusal) -> Risk:
    """Return the result of a score that may not be applied, with the reason."""
    asked = [] if refusal.missing is None else [refusal.missing]
    read = [inputs[i] for i in refusal.clause.when.inputs()]
    return Risk(
        name=score.name,
        tool=score.id,
        category=NOT_ASSESSED,
        missing=tuple(_missing(known) for known in asked),
        not_assessed=refusal.reason,
        statement=f"{score.name} is not assessed: {refusal.reason.detail}.",
        evidence=(
            *_evidence(read),
            ReferenceEvidence(table=f"scores/{score.id}", row="population"),
        ),
        source=_citations([(score, row) for row in score.rows()]),
    )


def result(inputs: Inputs, outcomes: Outcomes, scope: Scope) -> Risk:
    """Return the result of a score that applies."""
    score, totals, bands = outcomes.score, outcomes.totals, outcomes.bands
    exact = totals[0] if len(totals) == 1 else None
    missing = tuple(_missing(k) for i, k in inputs.items() if i in outcomes.deciding)
    settled = exact is not None and not missing
    notes = tuple(note for note in score.notes if _shown(note, inputs))
    rows: list[tuple[Score, Row]] = [(score, row) for row in (*bands, *outcomes.rows, *notes)]
    rows += [(part, item) for part in outcomes.scores for item in part.items]
    return Risk(
        name=score.name,
        tool=score.id,
        category=bands[0].name if len(bands) == 1 else NOT_DETERMINED,
        value=exact if settled else None,
        range=(totals[0], totals[-1]) if totals and not settled else None,
        unit="" if score.model is None else score.unit,
        missing=missing,
        bands=tuple(
            Band(name=b.name, points=b.points, meaning=_meaning(b, outcomes)) for b in bands
        ),
        items=tuple(_items(inputs, outcomes)),
        statement=_statement(outcomes, missing),
        caveats=(
            *_low_caveats(score, bands, inputs),
            *_conditional(scope, inputs),
            *(f"{inputs[i].not_below}." for i in inputs if _not_below(i, inputs, outcomes)),
            *(note.text for note in notes),
            *(() if exact is None else approximate(score, exact, _answers(inputs))),
        ),
        evidence=(
            *_evidence(inputs.values()),
            *(ReferenceEvidence(table=f"scores/{score.id}", row=band.name) for band in bands),
        ),
        source=_citations(rows),
    )


def _not_below(input_id: str, inputs: Inputs, outcomes: Outcomes) -> bool:
    """Return whether a number of another form leaves the result open."""
    return input_id in outcomes.deciding and bool(inputs[input_id].not_below)


def _meaning(band: ScoreBand, outcomes: Outcomes) -> str:
    """Return what a band means: beside a total, what the one row that can give it says."""
    said = [row.statement for row in outcomes.rows if row.category == band.name]
    return said[0] if outcomes.score.keeps_total and len(said) == 1 else band.meaning


def _statement(outcomes: Outcomes, missing: tuple[MissingInput, ...]) -> str:
    name, bands, rows = outcomes.score.name, outcomes.bands, outcomes.rows
    if len(rows) == 1 and outcomes.score.is_rule:
        return rows[0].statement
    words = " or ".join(band.name for band in bands)
    if len(bands) == 1:
        words = f"{bands[0].name} ({_meaning(bands[0], outcomes)})"
    if outcomes.totals:
        name = f"{name} {_span(outcomes.totals, outcomes.score.unit)}"
    if not missing:
        return f"{name}: {words}."
    asked = ", ".join(m.label for m in missing)
    if len(bands) == 1:
        return f"{name}, {words} in every case; missing: {asked}."
    return f"{name}, not determined: {words}; missing: {asked}."


def _items(inputs: Inputs, outcomes: Outcomes) -> Iterator[ItemResult]:
    """Yield the score's own items, the totals of scores it reads, and the inputs of its rule."""
    for part in outcomes.scores:
        if part.id == outcomes.score.id:
            yield from (_item(item, inputs, outcomes) for item in part.items)
        else:
            yield _total(part, inputs, outcomes)
    conditions = [row.when for row in outcomes.score.decision if row.when is not None]
    for input_id in dict.fromkeys(i for condition in conditions for i in condition.inputs()):
        known = inputs[input_id]
        yield ItemResult(
            item=input_id,
            label=known.entry.label,
            answer=known.words,
            state=_state(known),
            low=0,
            high=0,
            evidence=_evidence([known]),
        )


def _item(item: Item, inputs: Inputs, outcomes: Outcomes) -> ItemResult:
    read = [inputs[i] for i in item.inputs()]
    low, high = outcomes.points(item)
    state = State.NOT_ASSESSED
    if low == high:
        state = _state(read[0]) if len(read) == 1 else State.PRESENT
        if len(read) > 1 and low == item.otherwise:
            state = State.ABSENT
    return ItemResult(
        item=item.id,
        label=item.label,
        answer=_answer(read, decided=low == high),
        state=state,
        low=low,
        high=high,
        evidence=_evidence(read),
    )


def _total(part: Score, inputs: Inputs, outcomes: Outcomes) -> ItemResult:
    totals = outcomes.totals_of(part.id)
    read = [inputs[i] for item in part.items for i in item.inputs()]
    return ItemResult(
        item=part.id,
        label=part.name,
        answer=_span(totals),
        state=State.PRESENT if len(totals) == 1 else State.NOT_ASSESSED,
        low=totals[0],
        high=totals[-1],
        evidence=_evidence(read),
    )


def _answer(read: list[Input], *, decided: bool) -> str:
    """Return what is known of an item's inputs; unknown ones that cannot matter are named so."""
    if len(read) == 1 and (read[0].answer is not None or not decided):
        return read[0].words
    known = [f"{k.entry.label}: {k.words}" for k in read if k.answer is not None]
    open_labels = ", ".join(k.entry.label for k in read if k.answer is None)
    if open_labels:
        note = "not assessed, cannot change the points" if decided else "not assessed"
        known.append(f"{note}: {open_labels}")
    return "; ".join(known)


def _low_caveats(score: Score, bands: tuple[ScoreBand, ...], inputs: Inputs) -> Iterator[str]:
    if not any(band.name in score.low_categories for band in bands):
        return
    blocks = low_risk_blocks({i: k.finding for i, k in inputs.items() if k.finding is not None})
    yield from (f"{NEVER_LOW}. {text}." for text in blocks.present)
    if blocks.unknown:
        yield "Not assessed, and would forbid a low conclusion: " + ", ".join(blocks.unknown) + "."


def _conditional(scope: Scope, inputs: Inputs) -> Iterator[str]:
    for clause in scope.conditional:
        labels = ", ".join(
            f"{inputs[i].entry.label} is {inputs[i].words}" for i in clause.when.inputs()
        )
        yield f"{CONDITIONAL}: {clause.reason}; {labels}."


def _shown(note: Note, inputs: Inputs) -> bool:
    return note.when is None or holds(note.when, _answers(inputs)) is not False


def _missing(known: Input) -> MissingInput:
    return MissingInput(
        input=known.id,
        label=known.entry.label,
        reason=known.why_missing,
        question=known.entry.question,
        how=known.entry.how,
    )


def _state(known: Input) -> State:
    if known.answer is None:
        return State.NOT_ASSESSED
    return State.ABSENT if known.answer is False else State.PRESENT


def _span(totals: tuple[float, ...], unit: str = "points") -> str:
    of_model = "" if unit == "points" else unit
    low, high = points_words(totals[0], of_model), points_words(totals[-1], of_model)
    one = unit == "points" and low == high == "1"
    said = low if low == high else f"{low} to {high}"
    return f"{said} {'point' if one else unit}".rstrip()


def _answers(inputs: Inputs) -> dict[str, Answer]:
    return {i: known.answer for i, known in inputs.items()}


def _evidence(read: Iterable[Input]) -> tuple[Evidence, ...]:
    found = [e for k in read if k.finding is not None for e in k.finding.evidence]
    return tuple(dict.fromkeys(found))


def _citations(rows: Iterable[tuple[Score, Row]]) -> tuple[Citation, ...]:
    """Return one citation for each source, with the least sure of its review states."""
    least: dict[tuple[str, str], tuple[Score, str]] = {}
    for score, row in rows:
        key = (score.id, row.source)
        if key not in least or _doubt(row.review) > _doubt(least[key][1]):
            least[key] = (score, row.review)
    return tuple(
        score.cite(f"scores/{score_id}", source, review)
        for (score_id, source), (score, review) in least.items()
    )


def _doubt(tag: str) -> tuple[bool, int]:
    review = Review(tag=tag)
    return review.disputed, 100 - (review.confidence_percent or 100)
