"""Which facts answer a question: the decisive ones always, the others as many as fit."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from agent.chat.lexical import speaking
from agent.chat.question import Question
from agent.fact_sheet.conclusions import HEADLINE
from agent.fact_sheet.indices import INDEX
from agent.fact_sheet.laboratory import RESULT
from agent.fact_sheet.scores import CAVEAT, SCORE
from agent.fact_sheet.troponin import SERIES
from agent.facts import Fact, FactSheet
from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen
from knowledge.scores import score

MOST_SHOWN = 8
"""Facts in full in one answer, where the decisive ones are fewer; the others are named."""
_FAMILY = "family_history_cvd"
_RECORD = frozenset({"finding", "missing", "onset", "person"})
"""Kinds that say what the record holds; the others are conclusions."""
_RANK = {"present": 0, "supported": 0, "not_determined": 2, "not_assessed": 3, "absent": 4}
_STATED = 1


class Selection(Frozen):
    """The facts of an answer.

    Args:
        shown: In full, in this order.
        named: By name only.
    """

    shown: tuple[Fact, ...] = ()
    named: tuple[Fact, ...] = ()

    @property
    def all(self) -> tuple[Fact, ...]:
        """Return every fact of the answer."""
        return (*self.shown, *self.named)

    def knows(self) -> bool:
        """Return whether any of them says more than that something is missing."""
        return any(not is_gap(fact) for fact in self.all)


def is_gap(fact: Fact) -> bool:
    """Return whether a fact only says that the record does not hold something."""
    return fact.kind in _RECORD and fact.state == "not_assessed"


def selected(question: Question, sheet: FactSheet) -> Selection:
    """Return the facts that answer a question; none where none is about it.

    A fact of another day, person or kind of troponin than the question asks for does not answer.
    """
    if question.person:
        return _of_family(question, sheet)
    if question.letter and not _has_letter(question.letter, sheet):
        return Selection()
    if not question.named:
        found = [f for f in speaking(question.text, sheet) if _is_asked_for(f, question, sheet)]
        return _cut((), sorted(found, key=_polarity))
    own = _named_directly(question, sheet)
    first, more = _of_subjects(question, sheet)
    head = [f for f in first if f.key == HEADLINE]
    decisive = [*head, *own, *(f for f in first if f.key != HEADLINE)]
    decisive = _present_first([f for f in decisive if _is_asked_for(f, question, sheet)])
    others = [f for f in more if _is_asked_for(f, question, sheet)]
    if any(f.key == SERIES for f in decisive):
        samples = [f for f in decisive if _is_sample(f, sheet)]
        decisive = [f for f in decisive if f not in samples]
        others = [*others, *samples]
    return _cut(decisive, sorted(others, key=_polarity))


def unknown_inputs(question: Question, sheet: FactSheet) -> tuple[str, ...]:
    """Return the labels of the inputs that a question is about and no fact tells of."""
    rows = [row for row in question.rows() if row.does == "facts"]
    wanted = [*question.inputs, *(_input(one) for row in rows for one in row.first)]
    known = {key for f in sheet.facts if f.kind in _RECORD for key in f.inputs}
    inputs = catalogue().inputs
    return tuple(inputs[k].label for k in dict.fromkeys(wanted) if k in inputs and k not in known)


def _input(selector: str) -> str:
    """Return the input that a selector without states chooses; empty for another selector."""
    how, _, what = selector.partition(":")
    return what if how == "input" and "@" not in what else ""


def picked(selectors: Iterable[str], sheet: FactSheet) -> tuple[Fact, ...]:
    """Return the facts that selectors of the table choose, in the order of the selectors."""
    found = (f for selector in selectors for f in _pick(selector, sheet))
    return tuple(dict.fromkeys(found))


def of_ecg(fact: Fact) -> bool:
    """Return whether a fact was measured from an ECG or tells one."""
    tools = (e.tool for e in fact.evidence if e.kind == "tool")
    return fact.kind == "ecg" or (
        fact.kind == "finding" and any(tool.startswith("ecg") for tool in tools)
    )


def is_old(fact: Fact, sheet: FactSheet) -> bool:
    """Return whether a fact is dated, and not of the day of the assessment."""
    return bool(fact.times) and not any(t.startswith(sheet.day or "?") for t in fact.times)


def _pick(selector: str, sheet: FactSheet) -> Iterator[Fact]:
    bare, _, states = selector.partition("@")
    wanted = states.split("|") if states else []
    for fact in sheet.facts:
        if _is_chosen(bare, fact) and (not wanted or _state(fact) in wanted):
            yield fact


def _is_chosen(selector: str, fact: Fact) -> bool:
    how, mark, what = selector.partition(":")
    match how if mark else "":
        case "kind":
            return fact.kind == what
        case "told":
            return fact.kind == what and fact.sentence is not None
        case "input":
            return fact.kind in _RECORD and (what in fact.inputs or _is_value(what, fact))
        case "from":
            return of_ecg(fact)
        case "note":
            return fact.kind == "note" and fact.key != HEADLINE and fnmatchcase(fact.text, what)
    return fnmatchcase(fact.key, f"{selector}*" if selector.startswith("finding.") else selector)


def _is_value(key: str, fact: Fact) -> bool:
    """Return whether a finding is a value of an input, though it is too old to answer it."""
    rows = (catalogue().inputs.get(key), analytes().analytes.get(key))
    return fact.kind == "finding" and any(
        fact.key.startswith(f"finding.{row.label}.") for row in rows if row is not None
    )


def _state(fact: Fact) -> str:
    """Return the state of a fact; of a diagnosis its verdict."""
    if fact.key.startswith("diagnosis."):
        return fact.category.replace(" ", "_")
    return fact.state


def _named_directly(question: Question, sheet: FactSheet) -> tuple[Fact, ...]:
    by_input = picked((f"input:{key}" for key in question.inputs), sheet)
    by_name = (f for f in sheet.facts if f.kind == "finding" and f.subject in question.names)
    results = {key: picked((f"{RESULT}{key}.*",), sheet) for key in question.tests}
    told = [key for key, found in results.items() if found]
    tests = (f for key, found in results.items() for f in found or _values(key, question, sheet))
    # a result is told once, with its flag: not again as the bare finding that it is, too
    rest = (f for f in (*by_input, *by_name) if not any(_is_of(key, f) for key in told))
    return tuple(dict.fromkeys((*_of_scores(question, sheet), *tests, *rest)))


def _values(key: str, question: Question, sheet: FactSheet) -> Iterator[Fact]:
    """Yield the findings of a test of which there is no result; those of an input come as such."""
    if key not in question.inputs:
        yield from (f for f in sheet.facts if _is_value(key, f))


def _is_of(key: str, fact: Fact) -> bool:
    """Return whether a fact of the record is a value of a test."""
    return fact.kind == "finding" and (key in fact.inputs or _is_value(key, fact))


def _of_scores(question: Question, sheet: FactSheet) -> Iterator[Fact]:
    """Yield the scores and indices that a question names, each with what must be read with it."""
    for key in question.scores:
        wanted = (f"{SCORE}{score(key).name}", f"{CAVEAT}{score(key).name}.")
        for fact in sheet.facts:
            if fact.key == wanted[0] or fact.key.startswith(wanted[1]):
                yield fact
    for key in question.indices:
        yield from (fact for fact in sheet.facts if fact.key == f"{INDEX}{key}")


def _of_subjects(question: Question, sheet: FactSheet) -> tuple[list[Fact], list[Fact]]:
    first: list[Fact] = []
    more: list[Fact] = []
    for row in question.rows():
        past = question.asks == "facts" and row.does == "remedy"
        first += picked(row.history_first if past else row.first, sheet)
        more += () if past else picked(row.more, sheet)
    return first, more


def _of_family(question: Question, sheet: FactSheet) -> Selection:
    """Return what is known of relatives; nothing where more than that is asked for."""
    others = [key for key in question.inputs if key != _FAMILY]
    if others or question.subjects or question.names or question.left:
        return Selection()
    return _cut(picked((f"input:{_FAMILY}",), sheet), ())


def _has_letter(letter: str, sheet: FactSheet) -> bool:
    names = (name for f in sheet.facts if f.numbers for name in f.names)
    wanted = (f"troponin {letter}", f"肌钙蛋白{letter}")
    return any(one in name for name in names for one in wanted)


def _present_first(facts: list[Fact]) -> list[Fact]:
    """Return facts with the findings among them in the order of `_polarity`, on their places."""
    findings = iter(sorted((f for f in facts if f.kind == "finding"), key=_polarity))
    return [next(findings) if f.kind == "finding" else f for f in facts]


def _is_sample(fact: Fact, sheet: FactSheet) -> bool:
    series = next(f for f in sheet.facts if f.key == SERIES)
    return fact.kind == "finding" and fact.subject == series.subject


def _is_asked_for(fact: Fact, question: Question, sheet: FactSheet) -> bool:
    """Return whether a fact is of the time that a question asks for."""
    if not (question.day or question.earlier):
        return True
    if is_old(fact, sheet):
        return True
    if question.day or fact.kind not in (*_RECORD, "ecg", "troponin"):
        return False
    if fact.kind == "ecg":
        return fact.text.startswith(("ECG 1", "ECG 2")) or bool(fact.parts and "ECG" in fact.parts)
    if fact.kind == "troponin":
        return len(fact.times) > 1
    return not fact.numbers and not fact.times and not of_ecg(fact) and not is_gap(fact)


def _polarity(fact: Fact) -> int:
    return _RANK.get(fact.state, _STATED)


def _cut(first: Sequence[Fact], more: Sequence[Fact]) -> Selection:
    """Return all of `first` and as many of `more` as fit; none twice, also not in other words."""
    decisive = _once(first)
    others = [f for f in _once((*decisive, *more)) if f not in decisive]
    room = max(MOST_SHOWN - len(decisive), 0)
    return Selection(shown=tuple((*decisive, *others[:room])), named=tuple(others[room:]))


def _once(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once; a gap that a finding tells is not told again as missing."""
    unique: dict[str, Fact] = {}
    for fact in facts:
        unique.setdefault(fact.text, fact)
    told = {key for f in unique.values() if f.kind == "finding" and is_gap(f) for key in f.inputs}
    return [f for f in unique.values() if f.kind != "missing" or not told & set(f.inputs)]
