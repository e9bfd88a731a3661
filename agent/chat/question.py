"""What a question asks for, and what it is about: decided without any model."""

import re
from typing import Literal

from agent.chat.lexical import left_over
from agent.chat.terms import Target, first_word, found_in, holds, words_of
from agent.facts import FactSheet
from knowledge.chat_terms import Questions, Subject, chat_terms
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.plain_text import has_chinese

Asks = Literal["rules", "orders", "overview", "missing", "facts"]

_FAMILY = "family_history_cvd"
_LETTER = re.compile(r"(?:troponin|tn|肌钙蛋白)[- ]?([ti])(?![a-z])", re.IGNORECASE)


class Question(Frozen):
    """A question as it is understood.

    Args:
        text: As typed.
        asks: What it asks for.
        subjects: Ids of the subjects it names, in its order.
        inputs: Ids of the clinical inputs it names.
        names: Names of findings it holds.
        scores: Ids of the scores on request that it names.
        tests: Keys of the laboratory tests that it names.
        indices: Ids of the derived indices that it names.
        left: Words that belong to nothing it names.
        letter: T or I, where it asks for one troponin.
        history: Whether a remedy is asked about as something that was.
        day: Whether it asks for another day.
        earlier: Whether it asks for something earlier than this presentation.
        person: Whether it asks about a relative.
        hypothetical: Whether it asks what would be.
    """

    text: str
    asks: Asks
    subjects: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    left: frozenset[str] = frozenset()
    letter: str = ""
    history: bool = False
    day: bool = False
    earlier: bool = False
    person: bool = False
    hypothetical: bool = False

    @property
    def named(self) -> bool:
        """Whether it names anything the tables know."""
        return bool(self.subjects or self.inputs or self.names or self.computed or self.tests)

    @property
    def computed(self) -> tuple[str, ...]:
        """Ids of the scores and indices that are computed because it names them."""
        return (*self.scores, *self.indices)

    def rows(self) -> tuple[Subject, ...]:
        """Return the subjects it names."""
        return tuple(chat_terms().subjects[key] for key in self.subjects)


def spoken(question: str, otherwise: Language) -> Language:
    """Return the language to answer in: Chinese where the question is, else as wanted.

    Args:
        question: As typed.
        otherwise: The language of the page, or the one asked for.

    Examples:
        >>> spoken("心电图正常吗", "en"), spoken("ECG?", "zh")
        ('zh', 'zh')
    """
    return "zh" if has_chinese(question) else otherwise


def understood(question: str, sheet: FactSheet) -> Question:
    """Return what a question asks for: a change of the rules before anything else."""
    words = chat_terms().questions
    if holds(question, words.rules):
        return Question(text=question, asks="rules")
    found = found_in(question, sheet)
    targets = _special(found.targets)
    subjects = tuple(t.key for t in targets if t.kind == "subject")
    inputs = tuple(t.key for t in targets if t.kind == "input")
    letter = _LETTER.search(question)
    read = Question(
        text=question,
        asks="facts",
        subjects=subjects,
        inputs=inputs,
        names=tuple(t.key for t in targets if t.kind == "fact"),
        scores=tuple(t.key for t in targets if t.kind == "score"),
        tests=tuple(t.key for t in targets if t.kind == "test"),
        indices=tuple(t.key for t in targets if t.kind == "index"),
        left=left_over(found.rest, sheet.language),
        letter=letter[1].upper() if letter else "",
        history=holds(question, words.history),
        day=holds(found.rest, words.days),
        earlier=holds(found.rest, words.earlier),
        person=_FAMILY in inputs or holds(question, words.persons),
        hypothetical=holds(question, words.hypothetical),
    )
    return read.model_copy(update={"asks": _asks(read, found.rest, words)})


def scores_named(question: str) -> tuple[str, ...]:
    """Return the ids of the scores on request that a question names, in its order.

    Examples:
        >>> scores_named("What is his CHA2DS2-VASc?"), scores_named("Is the ECG normal?")
        (('cha2ds2_vasc',), ())
    """
    return understood(question, FactSheet(facts=())).scores


def indices_named(question: str) -> tuple[str, ...]:
    """Return the ids of the derived indices that a question names, in its order.

    Examples:
        >>> indices_named("What is his FIB-4?"), indices_named("Is the ECG normal?")
        (('fib_4',), ())
    """
    return understood(question, FactSheet(facts=())).indices


def asks_for(question: str, language: Language = "en") -> Asks:
    """Return what a question asks for."""
    return understood(question, FactSheet(facts=(), language=language)).asks


def _special(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Return the targets without general words, where a more special one is named."""
    subjects = chat_terms().subjects
    weak = {t for t in targets if t.kind == "subject" and subjects[t.key].weak}
    special = tuple(t for t in targets if t not in weak)
    plans = {t for t in weak if subjects[t.key].does in ("plan", "remedy")}
    if not special:
        return targets
    return tuple(t for t in targets if t not in weak or t in plans)


def _asks(read: Question, rest: str, words: Questions) -> Asks:
    does = {row.does for row in read.rows()}
    if "plan" in does:
        return "orders"
    if holds(rest, words.overview) and not (
        read.inputs or read.names or read.computed or read.tests
    ):
        return "overview"
    if holds(rest, words.missing) and not does - {"facts"} and not read.computed:
        return "missing"
    if "unread" in does and ("remedy" not in does or read.history):
        return "facts"
    if "remedy" in does and not read.history:
        return "orders"
    return "orders" if _commands(read.text, words) and not read.computed else "facts"


def _commands(question: str, words: Questions) -> bool:
    """Return whether a question tells somebody to do something."""
    if first_word(question) in words.asks_first:
        return False
    said = words_of(question)
    return any(
        word in words.commands and (not at or said[at - 1] in words.before_commands)
        for at, word in enumerate(said)
    )
