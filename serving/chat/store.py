"""Conversations in the database: a user reads their own on a case, and nobody else's."""

from collections.abc import Callable
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from knowledge.errors import InvalidValueError
from knowledge.passages import Language
from serving.access.errors import ConflictError, NotFoundError
from serving.access.principal import Principal
from serving.chat.model import Said, Turn, TurnState
from serving.chat.tables import TurnRow
from serving.storage.base import new_id
from serving.storage.database import Database

_LANGUAGE: TypeAdapter[Language] = TypeAdapter(Language)
_PROBLEM = 1000


def owner_of(principal: Principal) -> str:
    """Return whose conversation it is: a subject is only unique within the way it came in.

    Raises:
        InvalidValueError: The principal has no subject.
    """
    if not principal.subject.strip():
        raise InvalidValueError("user", "none is named", "a conversation belongs to a user")
    return f"{principal.via}:{principal.subject}"


class ConversationStore:
    """What was asked and answered; every call is one transaction.

    Args:
        database: Where.
        clock: The current moment, zoned.

    Every method raises `UnavailableError` where the database cannot be used.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, owner: str, case: str, question: str, language: Language) -> Turn:
        """Keep a question and return it.

        Raises:
            ConflictError: The same user asks from many places at once, again and again.
        """
        for _ in range(5):
            try:
                return self._begin(owner, case, question, language)
            except IntegrityError:
                continue
        raise ConflictError("conversation", "is being changed from elsewhere", "ask again")

    def _begin(self, owner: str, case: str, question: str, language: Language) -> Turn:
        with self._database.transaction() as session:
            last = session.scalar(
                select(func.max(TurnRow.number)).where(
                    TurnRow.owner == owner, TurnRow.case_id == case
                )
            )
            row = TurnRow(
                id=new_id("turn"),
                case_id=case,
                owner=owner,
                number=(last or 0) + 1,
                question=question,
                language=language,
                state=TurnState.ASKED.value,
                asked_at=self._clock(),
                problem="",
            )
            session.add(row)
        return _turn(row)

    def answered(self, turn: str, said: Said) -> Turn:
        """Keep the answer to a question that has none yet, and return it.

        Raises:
            ConflictError: It has one: an answer is never changed.
        """
        return self._end(turn, TurnState.ANSWERED, body=said.model_dump(mode="json"))

    def failed(self, turn: str, problem: str) -> Turn:
        """Keep why a question has no answer, and return it.

        Raises:
            ConflictError: It has one: an answer is never changed.
        """
        return self._end(turn, TurnState.FAILED, problem=problem[:_PROBLEM])

    def _end(self, turn: str, state: TurnState, *, body: object = None, problem: str = "") -> Turn:
        with self._database.transaction() as session:
            done = session.execute(
                update(TurnRow)
                .where(TurnRow.id == turn, TurnRow.state == TurnState.ASKED.value)
                .values(state=state.value, body=body, problem=problem, ended_at=self._clock())
            )
            if getattr(done, "rowcount", 0) != 1:
                raise ConflictError("answer", "was given already, or its case is gone", "ask again")
            row = session.get(TurnRow, turn)
            if row is None:
                raise NotFoundError("turn")
            return _turn(row)

    def turns(self, owner: str, case: str, *, last: int = 200) -> tuple[Turn, ...]:
        """Return the newest questions of one user on one case, oldest first."""
        query = (
            select(TurnRow)
            .where(TurnRow.owner == owner, TurnRow.case_id == case)
            .order_by(TurnRow.number.desc())
            .limit(last)
        )
        with self._database.transaction() as session:
            return tuple(_turn(row) for row in reversed(session.scalars(query).all()))

    def turn(self, owner: str, case: str, turn: str) -> Turn | None:
        """Return one question of this user on this case, or None."""
        query = select(TurnRow).where(
            TurnRow.id == turn, TurnRow.owner == owner, TurnRow.case_id == case
        )
        with self._database.transaction() as session:
            row = session.scalar(query)
            return None if row is None else _turn(row)


def _turn(row: TurnRow) -> Turn:
    return Turn(
        id=row.id,
        case=row.case_id,
        owner=row.owner,
        number=row.number,
        question=row.question,
        language=_LANGUAGE.validate_python(row.language),
        state=TurnState(row.state),
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        problem=row.problem,
        body=row.body,
    )
