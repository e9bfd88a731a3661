"""What can be done with a round of reading, by whom, and what is refused.

The same person is never both readers; one person holds a round while it is read; nothing leaves
unsigned; a release is never changed, a correction is a round of its own; both words are kept.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.plain_text import visible
from serving.access.errors import ConflictError
from serving.access.principal import Principal
from serving.cases.model import Case, Why
from serving.reading.content import chosen_form, last_of, reopened, untouched
from serving.reading.differences import differences
from serving.reading.model import BUSY, Difference, Release, Round, RoundState, Version, VersionRole
from serving.reading.outbox import Outbox
from serving.reading.pre_reader import PreReader
from serving.reading.protocol import Decision
from serving.reading.rules import (
    merged,
    person,
    require_fitting,
    require_held,
    require_releasable,
    settled,
    stated_by,
)
from serving.reading.store import RoundStore, Step
from serving.services import Services
from tools.readings.model import Reading, Said, Stated
from tools.readings.versions import accepted, edited, signed

logger = logging.getLogger(__name__)

_ROLE: Mapping[str, VersionRole] = {"reading": "first", "reviewing": "second"}
_BACK: Mapping[str, RoundState] = {"reading": "to read", "reviewing": "to review"}


class ReadingService:
    """Remote reading; who may read the case is decided before.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.store = RoundStore(services.database, services.clock)
        self.tools = PreReader(services, self.store)

    def start(self, case: Case, identity: str, *, principal: Principal, form: str = "") -> Round:
        """Hold a round to read it as first reader, or to review it as second.

        Who holds it already goes on. One that nobody has worked on for
        `Settings.reading_lock_minutes` may be taken over; the log says so.

        Args:
            case: The case.
            identity: Of the round.
            principal: Who reads.
            form: Which form, for the first reader; empty where only one fits.

        Raises:
            ForbiddenError: Whoever asks is no person known by name.
            ConflictError: Somebody else holds it, it is not to be read, or they were its other
                reader or gave the reading it is an opinion on.
            ContractError: There is no form for it.
        """
        me = person(principal)
        measured = self.tools.measured(case, identity, form)
        with self.store.step(case.id, identity, me) as step:
            taken = self._hold(step)
            role = "first" if step.row.state in ("to read", "reading") else "second"
            self._other_person(step, role)
            if role == "first":
                step.row.form = chosen_form(step.round, form)
                step.row.first_by, step.row.first_name = me.subject, me.name
                step.row.state = "reading"
                self.tools.enter(case, step, measured)
            else:
                step.row.second_by, step.row.second_name = me.subject, me.name
                step.row.state = "reviewing"
            step.lock()
            if taken:
                step.log(taken, role=role)
            return step.round

    def content(self, case: Case, round_: Round) -> Reading | None:
        """Return what stands in a round now; None where nobody has started.

        The second reader goes on from what the first signed, a correction from what was released.
        """
        if not round_.form:
            return None
        return self._content(case, round_, self.store.versions(round_.id))

    def save(
        self,
        case: Case,
        identity: str,
        changes: Mapping[str, Stated],
        *,
        principal: Principal,
    ) -> Reading:
        """Keep what a reader states, as the next version, and return it.

        Args:
            case: The case.
            identity: Of the round.
            changes: Path of an item to what is stated of it; whoever they name as its author, it
                is the reader who saves.
            principal: Who reads.

        Raises:
            ConflictError: They do not hold the round.
            InvalidValueError: No such item, or no answer to it.
        """
        me = person(principal)
        with self.store.step(case.id, identity, me) as step:
            require_held(step)
            before = self._content(case, step.round, step.versions())
            by = Said(by="reader", who=me.name, at=step.now)
            mine = {path: stated_by(one, by) for path, one in changes.items()}
            after = edited(before, mine, by=by)
            require_fitting(after)
            step.keep(
                _ROLE[step.row.state], after.model_dump(mode="json", by_alias=True), signed=False
            )
            step.lock()
            step.log("saved", items=len(mine))
            return after

    def give_back(self, case: Case, identity: str, *, principal: Principal) -> Round:
        """Let somebody else read it; what was saved stays.

        Raises:
            ConflictError: They do not hold the round.
        """
        with self.store.step(case.id, identity, person(principal)) as step:
            require_held(step)
            step.log("given back", role=_ROLE[step.row.state])
            if step.row.state == "reading":
                step.row.first_by = step.row.first_name = None
            else:
                step.row.second_by = step.row.second_name = None
            step.row.state = _BACK[step.row.state]
            step.unlock()
            return step.round

    def sign(
        self, case: Case, identity: str, accept: Sequence[str] = (), *, principal: Principal
    ) -> Round:
        """Sign what one has read: for the second reader, or for the release.

        Args:
            case: The case.
            identity: Of the round.
            accept: Keys of what was to be looked at again and is right as stated.
            principal: Who reads.

        Raises:
            ConflictError: They do not hold the round.
            ContractError: Something that only a machine says was not confirmed, no reader has
                stated anything, answers cannot stand together, or something is to be looked at
                again.
            InvalidValueError: A key is of nothing that is to be looked at again.
        """
        me = person(principal)
        with self.store.step(case.id, identity, me) as step:
            require_held(step)
            role = _ROLE[step.row.state]
            before = self._content(case, step.round, step.versions())
            require_fitting(before)
            by = Said(by="reader", who=me.name, at=step.now)
            final = signed(accepted(before, accept, by=by) if accept else before, by=by)
            kept = step.keep(role, final.model_dump(mode="json", by_alias=True), signed=True)
            alone = step.row.kind == "opinion"
            step.row.state = "to review" if role == "first" and not alone else "to release"
            step.unlock()
            step.log("signed", role=role, version=kept.number)
            return step.round

    def open_differences(self, round_: Round) -> tuple[Difference, ...]:
        """Return where the two readers of a round, or an opinion and its reading, differ."""
        versions = self.store.versions(round_.id)
        first, second = last_of(versions, "first"), last_of(versions, "second")
        if round_.kind == "opinion" and first is not None and round_.of_release is not None:
            released = Reading.model_validate(self.store.release_by_id(round_.of_release).reading)
            return differences(released, first) if released.form == first.form else ()
        return () if first is None or second is None else differences(first, second)

    def release(
        self,
        case: Case,
        identity: str,
        decisions: Sequence[Decision] = (),
        *,
        principal: Principal,
    ) -> Release:
        """Release a reading that is signed; every difference is decided, and both words are kept.

        Args:
            case: The case.
            identity: Of the round.
            decisions: For every difference of the two readers, whose word goes out, and why.
            principal: The second reader or a third person; for an opinion, its reader.

        Raises:
            ConflictError: It is not signed, was released, is not theirs to release, or a difference
                is not decided; names which.
            InvalidValueError: A decision is on what is no difference.
        """
        me = person(principal)
        with self.store.step(case.id, identity, me) as step:
            require_releasable(step, me)
            versions = step.versions()
            last = {one.role: one for one in versions if one.signed}
            decided = settled(step.row.kind, self.open_differences(step.round), decisions)
            base = Reading.model_validate((last.get("second") or last["first"]).body)
            final = merged(base, decided, by=Said(by="reader", who=me.name, at=step.now))
            before = step.row.of_release if step.row.kind == "correction" else None
            number = 1 if before is None else self.store.release_by_id(before).number + 1
            body = {
                "reading": final.model_dump(mode="json", by_alias=True),
                "first": last["first"].id,
                "second": last["second"].id if "second" in last else "",
                "differences": [one.model_dump(mode="json") for one in decided],
            }
            done = step.release(number=number, follows=before or "", body=body)
            Outbox(self._services).put(step.session, done)
            step.row.state = "released"
            step.log("released", release=done.id, number=number, differences=len(decided))
        self._assessed(case, done, principal)
        return done

    def _assessed(self, case: Case, done: Release, principal: Principal) -> None:
        """Make the version of the case's assessment that rests on a release.

        What fails here is no loss: the next assessment of the case reads the release from where it
        is kept, and the same content makes no second version.
        """
        from serving.cases.service import CaseService

        why: Why = "correction" if done.follows else "new file"
        try:
            CaseService(self._services).assess(case, principal=principal, why=why)
        except EpicrisisError as error:
            logger.warning("case %s was not assessed after a release: %s", case.id, error.reason)

    def correct(self, case: Case, identity: str, *, reason: str, principal: Principal) -> Round:
        """Ask for a correction of a release: a round of its own, with two readers again.

        Raises:
            ConflictError: It was not released, or has been corrected already.
            InvalidValueError: No reason is given.
        """
        return self._follow(case, identity, "correction", reason, principal)

    def opinion(self, case: Case, identity: str, *, question: str, principal: Principal) -> Round:
        """Ask for a second opinion on a release, of somebody who has not read the study.

        Raises:
            ConflictError: It was not released.
            InvalidValueError: No question is asked.
        """
        return self._follow(case, identity, "opinion", question, principal)

    def _follow(
        self,
        case: Case,
        identity: str,
        kind: Literal["correction", "opinion"],
        words: str,
        principal: Principal,
    ) -> Round:
        me, words = person(principal), visible(words).strip()
        if not words:
            raise InvalidValueError("reason", "is not given", "say what is to be looked at again")
        release = self.store.release(identity)
        with self.store.case(case.id) as session:
            rows = {row.id: row for row in self.store.rows(session, case.id)}
            row = rows.get(identity)
            if row is None or release is None:
                raise ConflictError("reading", "was not released", "release it first")
            known = [r for r in rows.values() if r.kind == kind and r.of_release == release.id]
            if kind == "correction" and known:
                raise ConflictError(
                    "reading", "is being corrected, or has been", "go on with that correction"
                )
            step = self.store.add(
                session,
                by=me,
                what=f"{kind} asked for",  # type: ignore[arg-type]
                case_id=case.id,
                kind=kind,
                title=row.title,
                modality=row.modality,
                files=list(row.files),
                question=words[:2000],
                of_release=release.id,
            )
            if kind == "correction":
                step.row.form = row.form
            return step.round

    def _hold(self, step: Step) -> Literal["started", "taken over"] | None:
        """Return how the round comes into one's hands; None where it was there.

        Raises:
            ConflictError: It is somebody else's, or in a state in which nobody reads.
        """
        row = step.row
        if row.state not in ("to read", "to review", *BUSY):
            raise ConflictError("reading", f"is {row.state}", "ask for a correction or an opinion")
        if row.state not in BUSY:
            return "started"
        if row.locked_by == step.by.subject:
            return None
        idle = timedelta(minutes=self._services.settings.reading_lock_minutes)
        if row.locked_at is not None and step.now - row.locked_at < idle:
            since = row.locked_at.isoformat(timespec="minutes")
            raise ConflictError(
                "reading",
                f"is being read by {row.locked_name}, last at {since}",
                "wait until it is given back",
            )
        return "taken over"

    def _other_person(self, step: Step, role: str) -> None:
        row, me = step.row, step.by.subject
        wrote = {one.by.subject for one in step.versions() if one.role == "first"}
        if role == "second" and me in {row.first_by, *wrote}:
            raise ConflictError(
                "reading", "was read by you: its second reader is another person", "let one review"
            )
        if row.kind == "opinion" and row.of_release is not None:
            release = self.store.release_by_id(row.of_release)
            earlier = self.store.find(release.case, release.round)
            readers = {one.subject for one in (earlier.first, earlier.second) if one is not None}
            if me in {*readers, release.by.subject}:
                raise ConflictError(
                    "reading", "is the one an opinion is asked on: you gave it", "let another read"
                )

    def _content(self, case: Case, round_: Round, versions: Sequence[Version]) -> Reading:
        second, first = last_of(versions, "second"), last_of(versions, "first")
        if second is not None:
            return second
        if first is not None:
            return reopened(first) if first.status == "final" else first
        if round_.kind == "correction" and round_.of_release is not None:
            released = self.store.release_by_id(round_.of_release)
            return reopened(Reading.model_validate(released.reading))
        before = last_of(versions, "pre-read")
        if before is not None and before.form == round_.form:
            return before
        by = round_.first or round_.asked
        at = round_.locked_at or round_.created_at
        return untouched(self._services, case, round_, round_.form, by=by, at=at)
