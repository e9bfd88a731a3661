"""A process killed between taking files and assessing them leaves a case; it is assessed later."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.pathways import Urgency
from serving.access.principal import Permission
from serving.audit.export import entries
from serving.worklist.service import worklist
from serving.worklist.watch import Watch
from tests.serving.cases.fresh import ANNA, Fresh, example, fresh
from tests.serving.storage.databases import KINDS


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, request.param) as found:
        yield found


def left(made: Fresh, name: str = "stemi") -> str:
    """Leave what a process that was killed leaves: a case with its files, never assessed."""
    store = made.services.cases
    put = [(file, store.put(content), len(content)) for file, content in example(name)]
    return store.open_keyed(None, put, label="bed 1", source="upload", by="anna")[0].id


def test_it_is_assessed_once_and_what_is_critical_in_it_is_raised(made: Fresh) -> None:
    case = left(made)
    services, watch = made.services, Watch(made.services)
    watch.look()
    assert services.cases.assessments(case) == (), "its request may still be being answered"
    made.clock.later(minutes=2)
    watch.look()
    watch.look()
    (stored,) = services.cases.assessments(case)
    assert (stored.made_by, stored.why) == ("epicrisis", "new file")
    (row,) = worklist(services, ANNA).rows
    assert row.urgency is Urgency.IMMEDIATE
    assert row.critical
    wanted = Permission.ASSESS.value
    assert len(entries(services.database, after=0, limit=9, action=wanted, case=case)) == 1


def test_one_that_cannot_be_assessed_is_tried_once_and_shown_as_failed(made: Fresh) -> None:
    case = left(made)
    services, watch = made.services, Watch(made.services)
    (file, *_) = services.cases.files(case)
    services.files.delete(file.sha256)
    made.clock.later(minutes=5)
    assert [watch.assess_left(), watch.assess_left()] == [1, 0]
    (row,) = worklist(services, ANNA).rows
    assert row.state == "failed"
    assert row.urgency is None


def test_a_case_without_files_is_left_alone_and_many_are_done_bit_by_bit(made: Fresh) -> None:
    made.services.cases.create(label="empty", source="upload", by="anna")
    store = made.services.cases
    note = ("note.txt", store.put(b"chest pain"), 10)
    for _ in range(7):
        store.open_keyed(None, [note], label="x", source="upload", by="anna")
    made.clock.later(minutes=5)
    watch = Watch(made.services)
    assert [watch.assess_left() for _ in range(3)] == [5, 2, 0]
