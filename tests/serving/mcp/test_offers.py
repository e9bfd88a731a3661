from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from agent.assess import assess_paths
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import (
    ContractError,
    EpicrisisError,
    IdentityConflictError,
    InvalidValueError,
    UnavailableError,
)
from knowledge.ingest.collection import ingest, review, stated, withdraw
from knowledge.passages import Filter, Hit, Passage, Searcher
from knowledge.settings import Settings
from serving.mcp.case_offers import assess_offer
from serving.mcp.case_root import CaseRoots
from serving.mcp.knowledge_offers import Reopened, knowledge_offers
from serving.mcp.offer import Offer, wrapped, wrapped_schema
from serving.mcp.offers import all_offers
from serving.mcp.server import make_server
from serving.mcp.toolbox_offers import toolbox_offers
from tests.serving.mcp.served import ROOT
from tests.tools.imaging.film.phantoms import chest, dicom
from tests.tools.imaging.in_case.made import case_of

NOW = parse_fhir("2026-11-20T12:00:00+01:00", clock="test")
EXAMPLES = ROOT / "serving" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if (path / "case.yaml").is_file())


def clock() -> ClinicalTime:
    return NOW


def assess(roots: CaseRoots, settings: Settings | None = None) -> Offer:
    return assess_offer(roots, settings or Settings(), clock)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of cases, beside a file that is none of its business."""
    folder = tmp_path / "cases"
    (folder / "one").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("sex: female\n")
    (tmp_path / "cases-too").mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inside").symlink_to(folder / "one")
    return folder


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("..", id="above"),
        pytest.param("../secret.yaml", id="beside"),
        pytest.param("one/../../secret.yaml", id="down and up"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("link", id="a link out"),
        pytest.param("link/secret.yaml", id="through a link"),
        pytest.param("../cases-too", id="a name that begins alike"),
        pytest.param("loop", id="a loop of links"),
        pytest.param("nothing", id="not there"),
        pytest.param("", id="empty"),
        pytest.param("one\x00", id="zero byte"),
        pytest.param("a" * 5000, id="too long"),
    ],
)
def test_a_path_that_is_not_below_a_root_is_refused(root: Path, path: str) -> None:
    with pytest.raises(ContractError, match="not below a folder of cases"):
        CaseRoots([root]).path(path)


def test_whether_a_file_exists_outside_the_roots_is_not_told(root: Path) -> None:
    refused = []
    for path in ("../secret.yaml", "../absent.yaml"):
        with pytest.raises(ContractError) as error:
            CaseRoots([root]).path(path)
        refused.append((error.value.reason, error.value.way_out))
    assert refused[0] == refused[1]


@pytest.mark.parametrize("path", ["one", "inside", "./one"])
def test_a_path_below_a_root_is_resolved(root: Path, path: str) -> None:
    roots = CaseRoots([root.parent / "cases-too", root])
    assert roots.path(path) == (root / "one").resolve()
    assert roots.path(str(root / "one")) == (root / "one").resolve()


def test_a_root_that_is_no_folder_is_refused(root: Path) -> None:
    with pytest.raises(InvalidValueError, match="is not a folder"):
        CaseRoots([root / "absent"])


def test_a_link_within_a_case_leads_nowhere(root: Path) -> None:
    case = root / "one"
    (case / "case.yaml").symlink_to(root.parent / "secret.yaml")
    with pytest.raises(EpicrisisError, match="no file of it could be used"):
        assess(CaseRoots([root])).run({"path": "one"})


@pytest.mark.parametrize("name", NAMES)
def test_the_assessment_is_valid_under_the_schema_that_is_listed(name: str) -> None:
    offer = assess(CaseRoots([EXAMPLES]))
    result = offer.run({"path": name})
    jsonschema.validate(wrapped(result), wrapped_schema(offer.output_schema))
    direct = assess_paths([EXAMPLES / name], at=None, now=NOW, settings=Settings())
    assert result["provenance"]["result_sha256"] == direct.assessment.provenance.result_sha256


def test_files_of_two_patients_are_an_error() -> None:
    with pytest.raises(IdentityConflictError) as refused:
        assess(CaseRoots([EXAMPLES])).run({"path": "."})
    assert refused.value.reason


LISTED = {offer.name: offer for offer in toolbox_offers(CaseRoots(()), Settings(), clock)}


@pytest.mark.parametrize("tool", LISTED)
def test_every_schema_that_is_listed_is_a_json_schema(tool: str) -> None:
    offer = LISTED[tool]
    for schema in (offer.input_schema, wrapped_schema(offer.output_schema)):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
    if not offer.input_schema.get("required"):
        jsonschema.validate(wrapped(offer.run({})), wrapped_schema(offer.output_schema))


def test_a_device_function_that_is_switched_off_makes_no_statement() -> None:
    offers = toolbox_offers(CaseRoots([EXAMPLES]), Settings(device_functions=False), clock)
    ecg = next(offer for offer in offers if offer.name == "ecg_analysis")
    with pytest.raises(UnavailableError, match="switched off"):
        ecg.run({"case": "stemi"})


def test_two_offers_of_one_name_are_a_mistake() -> None:
    offer = assess(CaseRoots(()))
    with pytest.raises(ValueError, match="two tools are called"):
        make_server([offer, offer])


class Down:
    """A searcher whose index cannot be used."""

    sha256 = "0"

    def search(self, query: str, *, k: int = 5, only: Filter | None = None) -> tuple[Hit, ...]:
        raise UnavailableError("index", "is damaged", "build it again")

    def passage(self, passage_id: str) -> Passage:
        raise UnavailableError("index", "is damaged", "build it again")


def test_a_search_that_failed_is_never_an_empty_result() -> None:
    search, show = knowledge_offers(Down)
    with pytest.raises(UnavailableError):
        search.run({"query": "troponin"})
    with pytest.raises(UnavailableError):
        show.run({"id": "card:a#s1.en"})


def test_the_searcher_is_opened_again_when_the_knowledge_has_changed() -> None:
    states = iter([1, 1, 2, 2])
    opened: list[Searcher] = []

    def open_now() -> Searcher:
        opened.append(Down())
        return opened[-1]

    searcher = Reopened(open_now, lambda: next(states))
    assert searcher() is searcher()
    assert searcher() is opened[1]
    assert searcher() is opened[1]
    assert len(opened) == 2


def test_a_withdrawn_document_is_no_longer_found_by_a_running_server(tmp_path: Path) -> None:
    site = Settings(data_dir=tmp_path / "data")
    at = datetime(2026, 11, 22, tzinfo=UTC)
    file = tmp_path / "a.md"
    file.write_text("# Local rule\n\nZebrafinch pathway applies to every ambulance arrival.\n")
    facts = stated(title="Local rule", body="Our Hospital", year=2025, licence="internal")
    document = ingest(file, facts, by="Ada", at=at, settings=site).document

    search = next(o for o in all_offers(site, case_roots=()) if o.name == "search_guidelines")

    def kinds() -> list[str]:
        hits = search.run({"query": "zebrafinch pathway", "kinds": ["original"]})["hits"]
        return [hit["passage"]["id"] for hit in hits]

    assert kinds() == []
    review(document.id, approve=True, by="Bo", at=at, settings=site)
    assert kinds() == [f"doc:{document.id}#1"]
    withdraw(document.id, by="Ada", at=at, reason="wrong", settings=site)
    assert kinds() == []


def test_a_study_of_a_case_is_measured_by_its_id_and_by_no_tool_of_another_image(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "film.dcm").write_bytes(dicom(chest(heart=300).grey))
    (study,) = case_of(folder, "film.dcm").studies
    offers = {o.name: o for o in toolbox_offers(CaseRoots([tmp_path]), Settings(), clock)}
    said = offers["measure_chest_film"].run({"case": "one", "images": study.id})
    assert said["findings"][0]["value"]["value"] == pytest.approx(300 / 640, abs=0.03)
    with pytest.raises(ContractError, match="measure_slide is not for"):
        offers["measure_slide"].run({"case": "one", "images": study.id})
    with pytest.raises(InvalidValueError, match="none of that id"):
        offers["measure_chest_film"].run({"case": "one", "images": "study-0"})
