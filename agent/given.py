"""Missing data are answerable: what is asked, and a store of the answers that people gave.

An answer is checked by the catalogue of clinical inputs exactly as one in ``case.yaml`` is, kept
with its author and time, and never overwritten: a correction is a later answer. The next assessment
of the case reads the newest answer to each input.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from agent.assessment import Assessment
from knowledge.clinical_inputs import Kind, catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.finding import Why
from knowledge.model import Frozen
from knowledge.plain_text import visible
from tools.intake.answer import Answer, Stated, known_input, stated_finding
from tools.intake.given import FILE, GivenAnswer
from tools.intake.withhold import is_future

NAME = "answers.sqlite3"
_BUSY_S = 10.0
_LONGEST = 80
_CASE = 200
_REFUSED = frozenset({Why.VALUE_IMPOSSIBLE, Why.UNIT_NOT_RECOGNISED})

_TABLE = """
CREATE TABLE IF NOT EXISTS given (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id TEXT NOT NULL,
    input TEXT NOT NULL,
    answer TEXT NOT NULL,
    author TEXT NOT NULL,
    entered_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS given_case ON given (case_id, input);
CREATE TRIGGER IF NOT EXISTS given_never_changed BEFORE UPDATE ON given
    BEGIN SELECT RAISE(ABORT, 'answers are never changed'); END;
CREATE TRIGGER IF NOT EXISTS given_never_deleted BEFORE DELETE ON given
    BEGIN SELECT RAISE(ABORT, 'answers are never deleted'); END;
"""


class Question(Frozen):
    """One missing item as a person is asked for it.

    Args:
        input: Clinical-input id: what `AnswerStore.give` takes.
        label: Short name.
        kind: yes/no, choice, quantity or time.
        question: The question in words.
        choices: For a choice: id to wording; for yes/no: ``yes`` and ``no``.
        unit: For a number: a unit it can be given in, the canonical one where that is enough.
        how: How to answer it, in words.
        unlocks: What the answer could settle.
    """

    input: str
    label: str
    kind: Kind
    question: str
    choices: dict[str, str]
    unit: str | None = None
    how: str
    unlocks: tuple[str, ...]


class Given(Frozen):
    """One answer as it is kept.

    Args:
        number: Its place in the store: later answers have higher numbers.
        case: Id of the case.
        answer: What was answered, by whom and when.
        corrects: Number of the answer it corrects.
    """

    number: int
    case: str
    answer: GivenAnswer
    corrects: int | None = None


def questions(assessment: Assessment) -> tuple[Question, ...]:
    """Return what a person can answer of what is missing, what unlocks most first.

    What needs a new sample or a tool (a further troponin) is not a question to a person; it stays
    in `Assessment.missing` with how to give it.
    """
    found: list[Question] = []
    for item in assessment.missing:
        entry = catalogue().inputs.get(item.input)
        if entry is None:
            continue
        yes_no = {"yes": "yes", "no": "no"} if entry.kind == "boolean" else {}
        found.append(
            Question(
                input=item.input,
                label=entry.label,
                kind=entry.kind,
                question=entry.question,
                choices={**yes_no, **entry.choices},
                unit=next(iter(entry.units(item.input)), None),
                how=entry.how,
                unlocks=item.unlocks,
            )
        )
    return tuple(found)


class AnswerStore:
    """The answers of every case, in one SQLite file that is only ever added to.

    Args:
        folder: Where the file is kept, for example ``Settings.data_dir``; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder.expanduser() / NAME

    @property
    def exists(self) -> bool:
        """Whether anything was ever answered here."""
        return self._path.is_file()

    def give(
        self, case_id: str, input_id: str, value: Stated, *, author: str, at: ClinicalTime
    ) -> Given:
        """Keep one answer and return it.

        Args:
            case_id: Id of the case, as the assessment names it.
            input_id: The clinical input.
            value: yes/no, a choice's id, a number with its unit, a time; ``unknown`` withdraws an
                earlier answer; an `Answer` where it has a unit or an observation time of its own.
            author: Who answers: role, initials or account.
            at: When it is entered, zoned.

        Raises:
            InvalidValueError: No such input, not an answer to it, an impossible value, or no
                author; the message says what would be accepted.
            UnavailableError: The store cannot be written.
        """
        return self.give_all(case_id, [(input_id, value)], author=author, at=at)[0]

    def give_all(
        self,
        case_id: str,
        answers: Sequence[tuple[str, Stated]],
        *,
        author: str,
        at: ClinicalTime,
    ) -> tuple[Given, ...]:
        """Keep several answers, or, where one of them is refused, none.

        Args:
            case_id: As in `give`.
            answers: Input and value of each, as in `give`.
            author: As in `give`.
            at: As in `give`.

        Raises:
            InvalidValueError: As in `give`.
            UnavailableError: The store cannot be written.
        """
        entered = [entered_answer(name, value, author=author, at=at) for name, value in answers]
        case = _named("case", case_id, _CASE)
        with self._open(write=True) as database:
            return tuple(_kept(database, case, one) for one in entered)

    def history(self, case_id: str) -> tuple[Given, ...]:
        """Return every answer ever given to a case, oldest first.

        Raises:
            UnavailableError: The store cannot be read.
        """
        if not self._path.is_file():
            return ()
        with self._open(write=False) as database:
            rows = database.execute(
                "SELECT number, input, answer, author, entered_at FROM given"
                " WHERE case_id = ? ORDER BY number",
                (visible(case_id)[:_CASE],),
            ).fetchall()
        last: dict[str, int] = {}
        found: list[Given] = []
        for number, input_id, answer, author, entered_at in rows:
            entered = GivenAnswer(
                input=input_id,
                answer=Answer.model_validate(json.loads(answer)),
                author=author,
                entered_at=entered_at,
            )
            found.append(
                Given(number=number, case=case_id, answer=entered, corrects=last.get(input_id))
            )
            last[input_id] = number
        return tuple(found)

    def cases(self) -> tuple[str, ...]:
        """Return the ids under which anything was answered, sorted.

        Raises:
            UnavailableError: The store cannot be read.
        """
        if not self.exists:
            return ()
        with self._open(write=False) as database:
            rows = database.execute("SELECT DISTINCT case_id FROM given ORDER BY case_id")
            return tuple(case for (case,) in rows.fetchall())

    def as_facts(self, case_id: str) -> tuple[GivenAnswer, ...]:
        """Return the newest answer to each input, in catalogue order, as `read_case` takes them.

        Raises:
            UnavailableError: The store cannot be read.
        """
        return newest_answers(given.answer for given in self.history(case_id))

    @contextmanager
    def _open(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction.

        Raises:
            UnavailableError: It cannot be opened, read or written.
        """
        try:
            if write:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as database:
                if write:
                    database.executescript(_TABLE)
                    database.execute("BEGIN IMMEDIATE")
                yield database
                database.commit()
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                "answer store",
                f"cannot be used ({type(error).__name__})",
                "check that the data directory can be written and the disk is not full",
            ) from error


def entered_answer(
    input_id: str, value: Stated, *, author: str, at: ClinicalTime, zone: str | None = None
) -> GivenAnswer:
    """Return an answer that was checked by the catalogue, with who gave it and when.

    Args:
        input_id: The clinical input.
        value: As in `AnswerStore.give`.
        author: Who answers.
        at: When it is entered, zoned.
        zone: IANA zone of the case, for times without an offset.

    Raises:
        InvalidValueError: As in `AnswerStore.give`, or a time later than `at`.
    """
    entered = GivenAnswer(
        input=input_id,
        answer=value if isinstance(value, Answer) else Answer(value=value),
        author=_named("author", author, _LONGEST),
        entered_at=_instant(at),
    )
    _check(entered, at, zone)
    return entered


def newest_answers(entered: Iterable[GivenAnswer]) -> tuple[GivenAnswer, ...]:
    """Return the last answer to each input, in catalogue order, as `read_case` takes them.

    Args:
        entered: Every answer to one case, oldest first.
    """
    newest = {one.input: one for one in entered}
    return tuple(newest[key] for key in catalogue().every if key in newest)


def _kept(database: sqlite3.Connection, case: str, entered: GivenAnswer) -> Given:
    earlier = _newest(database, case, entered.input)
    answer = entered.answer.model_dump_json()
    number = database.execute(
        "INSERT INTO given (case_id, input, answer, author, entered_at) VALUES (?, ?, ?, ?, ?)",
        (case, entered.input, answer, entered.author, entered.entered_at),
    ).lastrowid
    return Given(number=number or 0, case=case, answer=entered, corrects=earlier)


def _newest(database: sqlite3.Connection, case: str, input_id: str) -> int | None:
    row = database.execute(
        "SELECT max(number) FROM given WHERE case_id = ? AND input = ?", (case, input_id)
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _check(entered: GivenAnswer, at: ClinicalTime, zone: str | None) -> None:
    """Refuse what the catalogue would refuse, and what has not happened yet.

    Raises:
        InvalidValueError: The message says what would be accepted.
    """
    finding = stated_finding(
        entered.input, entered.answer, file=FILE, record=entered.record, zone=zone
    )
    if is_future(finding.time, at):
        raise InvalidValueError(f"{entered.input}: time", "lies in the future", "correct it")
    reason = finding.not_assessed
    if reason is not None and reason.why in _REFUSED:
        entry = known_input(entered.input)
        raise InvalidValueError(entered.input, reason.detail, f"give {entry.how}")


def _named(what: str, text: str, limit: int) -> str:
    name = visible(text).strip()
    if not name or len(name) > limit:
        raise InvalidValueError(
            what, "empty" if not name else f"over {limit} characters", "name it in a few words"
        )
    return name


def _instant(at: ClinicalTime) -> str:
    if at.at.tzinfo is None:
        raise InvalidValueError("time of entry", "has no time zone", "give a zoned time")
    return at.at.isoformat()
