"""Changed files at the doors of imaging and pathology; thousands of them with ``make fuzz``."""

import pytest

from knowledge.errors import InvalidValueError
from tests.fuzzing import doors
from tests.fuzzing.door_kinds import DOORS, Door
from tests.fuzzing.doors import DOOR_KINDS, DoorInput, made_for, tried_at
from tests.fuzzing.seeds import Seed

EACH = 5


@pytest.mark.parametrize("kind", DOOR_KINDS)
def test_no_changed_file_crashes_or_gives_half_a_result(kind: str) -> None:
    found = [(one, tried_at(one)) for one in (made_for(kind, n) for n in range(EACH))]
    assert not {str(one): o.violations for one, o in found if o.violations}


@pytest.mark.parametrize("kind", DOOR_KINDS)
def test_the_files_are_taken_before_they_are_changed(kind: str) -> None:
    for seed in DOORS[kind].seeds():
        found = tried_at(
            DoorInput(kind=kind, number=0, seed=seed, content=seed.content, changes=())
        )
        assert (found.status, found.violations) == ("read", ()), seed.name


def test_the_same_number_gives_the_same_input() -> None:
    assert all(made_for(kind, 7) == made_for(kind, 7) for kind in DOOR_KINDS)


def _raises(_content: bytes, _name: str) -> str:
    raise KeyError("x")


def _silent(_content: bytes, _name: str) -> str:
    raise InvalidValueError("", "")


def _ends(_content: bytes, _name: str) -> str:
    raise GeneratorExit  # as a decoder's panic: no Exception


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (_raises, "raised"),
        (_ends, "raised"),
        (_silent, "without item or reason"),
        (lambda _c, _n: "half", "half"),
    ],
)
def test_what_must_hold_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, ask: object, said: str
) -> None:
    door = Door(seeds=lambda: [Seed(name="a", content=b"a")], changes=(), ask=ask)  # type: ignore[arg-type]
    monkeypatch.setattr(doors, "DOORS", {"one": door})
    one = DoorInput(kind="one", number=0, seed=door.seeds()[0], content=b"a", changes=())
    (violation,) = tried_at(one).violations
    assert said in violation


@pytest.mark.parametrize("cut", [40, 347])
def test_a_mask_whose_header_is_cut_off_is_refused(cut: int) -> None:
    """A NIfTI header has 348 bytes."""
    plain, _ = DOORS["nifti-mask"].seeds()
    one = DoorInput(
        kind="nifti-mask", number=0, seed=plain, content=plain.content[:cut], changes=()
    )
    assert (tried_at(one).status, tried_at(one).violations) == ("failed", ())


@pytest.mark.parametrize("at", [20, 40, 60])
def test_a_compressed_mask_with_a_changed_byte_is_refused(at: int) -> None:
    _, packed = DOORS["nifti-mask"].seeds()
    changed = packed.content[:at] + b"\xff\xff\xff" + packed.content[at + 3 :]
    one = DoorInput(kind="nifti-mask", number=0, seed=packed, content=changed, changes=())
    assert (tried_at(one).status, tried_at(one).violations) == ("failed", ())
