"""The gate of a film: each item present, absent or not assessed, and what it stops."""

import numpy as np
import pytest

from knowledge.errors import InputError, InvalidValueError, UnreadableError
from knowledge.finding import State, Why
from tests.data_folder import shared_data
from tests.tools.imaging.film.phantoms import chest, dicom, png
from tools.imaging.film.model import FilmGate, StatedFilm
from tools.imaging.film.read import read_film
from tools.imaging.film.report import checked, measured

GREY = chest().grey
EVERYTHING = ("lung-fields", "cardiothoracic-ratio", "ratio-against-limit")


def _gate(**changes: object) -> FilmGate:
    return checked(read_film(dicom(GREY, **changes), file="film.dcm"))


def test_a_plain_pa_film_of_an_adult_may_be_measured() -> None:
    gate = _gate()
    assert gate.may == EVERYTHING
    assert [i.id for i in gate.items if i.state is State.PRESENT] == []


@pytest.mark.parametrize(
    ("changes", "item", "may"),
    [
        pytest.param({"ViewPosition": "LL"}, "lateral", (), id="lateral"),
        pytest.param({"ViewPosition": "AP"}, "ap", EVERYTHING[:2], id="AP"),
        pytest.param({"StudyDescription": "PORTABLE"}, "bedside", EVERYTHING[:2], id="portable"),
        pytest.param({"PatientAge": "007Y"}, "child", (), id="child"),
        pytest.param({"PatientAge": "009M"}, "child", (), id="months"),
        pytest.param({"BodyPartExamined": "ABDOMEN"}, "not-a-chest", (), id="abdomen"),
        pytest.param({"Modality": "MG"}, "not-a-film", (), id="mammogram"),
        pytest.param({"PhotometricInterpretation": "MONOCHROME1"}, "inverted", (), id="false"),
        pytest.param({"PixelSpacing": [0, 0]}, "no-scale", EVERYTHING, id="spacing 0"),
        pytest.param({"PixelSpacing": None}, "no-scale", EVERYTHING, id="no spacing"),
        pytest.param({"PatientOrientation": ["R", "F"]}, "turned", EVERYTHING, id="mirrored"),
        pytest.param(
            {"WindowCenter": [2000, 1800], "WindowWidth": [4000, 2000]}, "windows", EVERYTHING,
            id="two windows",
        ),
        pytest.param({"BurnedInAnnotation": "YES"}, "text-in-picture", EVERYTHING, id="text"),
    ],
)  # fmt: skip
def test_each_defect_is_present_and_stops_what_it_must(
    changes: dict[str, object], item: str, may: tuple[str, ...]
) -> None:
    gate = _gate(**changes)
    assert gate.item(item).state is State.PRESENT
    assert gate.may == may


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"ViewPosition": None}, "lateral"),
        ({"ViewPosition": None}, "ap"),
        ({"ViewPosition": "SWIMMERS"}, "lateral"),
        ({"PatientAge": None}, "child"),
        ({"PatientAge": "000Y"}, "child"),
        ({"BodyPartExamined": None}, "not-a-chest"),
        ({"Modality": None}, "not-a-film"),
        ({"Modality": None}, "inverted"),
        ({"Modality": "OT"}, "inverted"),
        ({"BodyPartExamined": "BREAST"}, "inverted"),
        ({"ViewPosition": "LL"}, "inverted"),
        ({"PatientOrientation": None}, "turned"),
        ({}, "rotation"),
        ({}, "inspiration"),
        ({}, "not-human"),
    ],
)
def test_what_is_not_stated_is_not_assessed_and_never_absent(
    changes: dict[str, object], item: str
) -> None:
    found = _gate(**changes).item(item)
    assert found.state is State.NOT_ASSESSED
    assert found.not_assessed is not None
    assert found.not_assessed.detail


def test_without_a_modality_nothing_is_measured_and_none_is_called_wrong() -> None:
    gate = _gate(Modality=None)
    assert gate.may == ()
    assert {(r.why, r.detail) for r in gate.refused.values()} == {
        (Why.MISSING, "the modality is not stated")
    }


@pytest.mark.parametrize(
    ("spacing", "state", "words"),
    [
        ([0.2, 0.2], State.ABSENT, "that of the detector, and a projection magnifies"),
        ([0, 0], State.PRESENT, "stated as 0 mm"),
        (None, State.PRESENT, "none"),
    ],
)
def test_the_spacing_says_what_is_stated_and_what_follows(
    spacing: object, state: State, words: str
) -> None:
    item = _gate(PixelSpacing=spacing).item("no-scale")
    assert item.state is state
    assert item.detail == f"{words}; no width is given in mm"


def test_without_view_or_age_the_ratio_is_held_against_no_limit() -> None:
    gate = _gate(ViewPosition=None, PatientAge=None)
    assert gate.may == EVERYTHING[:2]
    reason = gate.refused["ratio-against-limit"]
    assert reason.why is Why.MISSING
    assert "view" in reason.detail
    assert "age" in reason.detail


def test_a_true_monochrome1_film_is_turned_round_and_read_as_its_twin() -> None:
    """MONOCHROME1: high values are dark (PS3.3 C.7.6.3.1.2)."""
    twin = read_film(dicom(1 - GREY, PhotometricInterpretation="MONOCHROME1"), file="twin.dcm")
    plain = read_film(dicom(GREY), file="film.dcm")
    assert np.allclose(twin.grey, plain.grey, atol=2e-3)
    gate = checked(twin)
    assert gate.item("stored-inverted").state is State.PRESENT
    assert gate.item("inverted").state is State.ABSENT
    assert gate.may == EVERYTHING


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (["L", "F"], lambda g: g),
        (["R", "F"], lambda g: g[:, ::-1]),
        (["L", "H"], lambda g: g[::-1]),
        (["R", "H"], lambda g: g[::-1, ::-1]),
        (["F", "L"], lambda g: g.T),
        (["H", "L"], lambda g: g.T[:, ::-1]),
        (["F", "R"], lambda g: g.T[::-1]),
        (["H", "R"], lambda g: g.T[::-1, ::-1]),
    ],
)
def test_a_turned_film_is_laid_as_usual_by_its_patient_orientation(
    orientation: list[str], turn: object
) -> None:
    """Rows lead to the first letter, columns to the second (PS3.3 C.7.6.1.1.1)."""
    lying = np.ascontiguousarray(turn(GREY))  # type: ignore[operator]
    turned = read_film(dicom(lying, PatientOrientation=orientation), file="turned.dcm")
    assert np.allclose(turned.grey, read_film(dicom(GREY), file="film.dcm").grey)


def test_a_picture_has_no_view_and_no_age_and_a_person_may_state_them() -> None:
    picture = png(GREY)
    gate = checked(read_film(picture, file="film.png"))
    for item in ("lateral", "ap", "child", "not-human", "not-a-chest", "stored-inverted"):
        assert gate.item(item).state is State.NOT_ASSESSED
    assert gate.may == EVERYTHING[:2]
    stated = StatedFilm(view="pa", age_years=51)
    known = checked(read_film(picture, file="film.png", stated=stated))
    assert known.may == EVERYTHING
    assert known.item("ap").told == "person"


def test_a_person_never_overrules_the_file() -> None:
    with pytest.raises(InvalidValueError, match="the file says something else"):
        read_film(dicom(GREY, ViewPosition="AP"), file="f.dcm", stated=StatedFilm(view="pa"))
    with pytest.raises(InvalidValueError, match="the file says something else"):
        read_film(dicom(GREY), file="f.dcm", stated=StatedFilm(age_years=12))


def test_truncated_pixels_are_refused() -> None:
    with pytest.raises(UnreadableError, match="ends early"):
        read_film(dicom(GREY)[:-5000], file="cut.dcm")
    with pytest.raises(UnreadableError):
        read_film(png(GREY)[:-5000], file="cut.png")


def test_an_empty_a_tiny_and_a_coloured_picture_stop_everything() -> None:
    empty = checked(read_film(png(np.full((512, 512), 0.4)), file="empty.png"))
    assert empty.item("empty").state is State.PRESENT
    assert empty.item("inverted").state is State.NOT_ASSESSED
    assert empty.may == ()
    tiny = checked(read_film(png(GREY[::8, ::8]), file="tiny.png"))
    assert tiny.item("small").state is State.PRESENT
    assert tiny.may == ()


def test_a_film_burnt_out_at_an_end_is_not_measured() -> None:
    """Everything brighter than 0.5 is white: body, heart and spine hold one value."""
    burnt = checked(read_film(png(np.where(GREY > 0.5, 1.0, GREY)), file="burnt.png"))
    assert burnt.item("saturated").state is State.PRESENT
    assert "cardiothoracic-ratio" not in burnt.may


def test_switched_off_nothing_of_the_pixels_is_assessed() -> None:
    gate = checked(read_film(dicom(GREY), file="film.dcm"), device_functions=False)
    assert gate.may == ()
    assert gate.item("inverted").not_assessed is not None
    assert gate.item("ap").state is State.ABSENT  # the header may still be read
    assert {r.why for r in gate.refused.values()} == {Why.SWITCHED_OFF}


def _all_of_dicom_misc() -> dict[str, FilmGate | str]:
    found: dict[str, FilmGate | str] = {}
    for path in sorted(shared_data("dicom-misc").rglob("*")):
        if not path.is_file():
            continue
        try:
            film = read_film(path.read_bytes(), file=path.name)
            found[path.name] = checked(film)
        except InputError as error:
            found[path.name] = f"{type(error).__name__}: {error.reason}"
    return found


def test_every_file_of_dicom_misc_is_gated_or_refused_by_name() -> None:
    """Two chest films may be measured; the false twin, the leg and the mammogram are stopped."""
    found = _all_of_dicom_misc()
    assert len(found) == 83
    gates = {name: g for name, g in found.items() if isinstance(g, FilmGate)}
    cr = "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm"
    assert {name for name, gate in gates.items() if gate.may} == {cr, "RG1_J2KI.dcm"}
    dog = found["dx_image.dcm"]
    assert isinstance(dog, str)
    assert "not of a human patient" in dog
    stopped = {
        "Fake_MONOHR1.dcm": "inverted",  # the twin: MONOCHROME1 over pixels of MONOCHROME2
        "RG3_J2KR.dcm": "not-a-chest",  # a leg, stored mirrored
        "GH133.dcm": "not-a-film",  # a mammogram with three windows
        "CT1_J2KR": "not-a-film",
        "no-pixel-spacing.dcm": "not-a-film",  # ultrasound
        "frame_rgb.jpeg": "colour",
    }
    for name, item in stopped.items():
        assert gates[name].item(item).state is State.PRESENT, name
        assert gates[name].may == (), name
    for name in ("GH133.dcm", "vlut_04.dcm", "mlut_18.dcm"):  # a breast, and modality OT
        assert gates[name].item("inverted").state is State.NOT_ASSESSED, name
    assert gates["RG1_J2KI.dcm"].item("no-scale").state is State.PRESENT  # 0.000 mm
    assert gates["GH133.dcm"].item("windows").state is State.PRESENT
    assert "ends before its pixels" in str(found["chrJapMulti.dcm"])
    extended = "CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm"
    assert str(found[extended]).startswith("Un")
    retired = "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm"
    assert "retired transfer syntax" in str(found[retired])
    assert "structured report" in str(found["sr_document.dcm"])
    assert "25 frames" in str(found["sm_image.dcm"])


def test_films_of_cxr_nih_are_not_inverted_and_state_neither_view_nor_age() -> None:
    paths = sorted(shared_data("cxr-nih").rglob("*.png"))[:10]
    for path in paths:
        gate = checked(read_film(path.read_bytes(), file=path.name))
        assert gate.item("inverted").state is State.ABSENT, path.name
        assert gate.item("ap").state is State.NOT_ASSESSED
        assert gate.item("child").state is State.NOT_ASSESSED
        assert "ratio-against-limit" not in gate.may


def test_one_of_them_inverted_is_seen_to_be() -> None:
    path = sorted(shared_data("cxr-nih").rglob("*.png"))[5]
    grey = read_film(path.read_bytes(), file=path.name).grey
    report = measured(read_film(png(1.0 - grey.astype(np.float64)), file="inverted.png"))
    assert report.gate.item("inverted").state is State.PRESENT
    assert report.fields == ()
    assert "darker than its sides" in report.not_assessed["cardiothoracic-ratio"].detail
