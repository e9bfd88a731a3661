"""Whatever is done to the rows of a chain: with its head known elsewhere, it is found."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from serving.access.principal import Principal, Role
from serving.audit.anchor import Head
from serving.audit.chain import GENESIS, link, row_of
from serving.audit.event import event
from serving.audit.verification import Row, Walk
from serving.storage.base import canonical

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADA = Principal(subject="ada", name="Dr Ada Lo", roles=frozenset({Role.CLINICIAN}), via="oidc")
LENGTH = 8


def chain() -> list[Row]:
    rows: list[Row] = []
    previous = GENESIS
    for number in range(1, LENGTH + 1):
        body = event(
            ADA,
            "case.read",
            at=NOON + timedelta(minutes=number),
            site="here",
            origin=None,
            detail={"number": number},
        )
        made = row_of(body, sequence=number, previous=previous)
        rows.append(
            Row(
                sequence=made.sequence,
                at=made.at,
                subject=made.subject,
                action=made.action,
                case_id=made.case_id,
                body=canonical(made.body).decode(),
                previous=made.previous,
                sha256=made.sha256,
            )
        )
        previous = made.sha256
    return rows


WHOLE = chain()
HEAD = Head(sequence=LENGTH, sha256=WHOLE[-1].sha256)
PLACES = st.integers(0, LENGTH - 1)


def found(rows: list[Row]) -> tuple[int, str] | None:
    return Walk([HEAD]).over(sorted(rows, key=lambda row: row.sequence))


def test_the_whole_chain_is_whole() -> None:
    assert found(WHOLE) is None


@given(PLACES, st.integers(0, 400), st.characters(codec="ascii"))
def test_one_character_of_one_event_changed(place: int, at: int, letter: str) -> None:
    row = WHOLE[place]
    at %= len(row.body)
    body = row.body[:at] + letter + row.body[at + 1 :]
    assume(body != row.body)
    problem = found([*WHOLE[:place], row._replace(body=body), *WHOLE[place + 1 :]])
    assert problem == (place + 1, "its content is not what was written")


@given(st.sets(PLACES, min_size=1))
def test_any_events_taken_out(places: set[int]) -> None:
    problem = found([row for number, row in enumerate(WHOLE) if number not in places])
    assert problem is not None
    assert problem[0] == min(places) + 1, "the first that is missing is named"


@given(st.permutations(range(LENGTH)))
def test_any_other_order(order: list[int]) -> None:
    assume(order != sorted(order))
    moved = [WHOLE[old]._replace(sequence=new + 1) for new, old in enumerate(order)]
    problem = found(moved)
    assert problem is not None
    assert problem[0] == next(n for n, old in enumerate(order) if n != old) + 1


@given(PLACES, st.text(max_size=20))
def test_a_column_that_is_searched_by_changed(place: int, text: str) -> None:
    row = WHOLE[place]
    for changed in (
        row._replace(subject=text),
        row._replace(action=text),
        row._replace(case_id=text),
        row._replace(at=row.at + timedelta(seconds=1)),
    ):
        if changed != row:
            problem = found([*WHOLE[:place], changed, *WHOLE[place + 1 :]])
            assert problem is not None
            assert problem[0] == place + 1


@given(PLACES)
def test_an_event_and_everything_after_it_written_anew_with_right_hashes(place: int) -> None:
    """Only the head that is known elsewhere can show this one."""
    rows, previous = list(WHOLE[:place]), WHOLE[place].previous
    for row in WHOLE[place:]:
        body = row.body.replace(ADA.name, "Dr Eve")
        rows.append(
            row._replace(body=body, previous=previous, sha256=link(previous, body.encode()))
        )
        previous = rows[-1].sha256
    assert Walk().over(rows) is None
    assert found(rows) == (LENGTH, "is another event than the one that was anchored")
