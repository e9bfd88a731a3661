from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import IdentityConflictError, UnavailableError
from serving.access.errors import NotFoundError
from serving.fhir_in.pull import Limits, Pulled, pull_patient
from tests.serving.access.peers import Answer, as_json, serving
from tests.serving.fhir_in.fhir_peer import (
    PATIENT,
    FhirPeer,
    bundle,
    fetch_by,
    fhir_peer,
    of_patient,
)


@pytest.fixture
def peer() -> Iterator[FhirPeer]:
    with fhir_peer() as running:
        yield running


def pull(peer: FhirPeer, folder: Path, **more: Any) -> Pulled:
    limits = more.pop("limits", None)
    fetch = fetch_by(peer, folder, **more)
    return pull_patient(fetch, base=peer.base, patient=PATIENT, limits=limits)


def names(pulled: Pulled) -> set[str]:
    return {
        f"{e['resource']['resourceType']}/{e['resource'].get('id')}"
        for e in pulled.bundle["entry"]
        if e["resource"]["resourceType"] != "OperationOutcome"
    }


def outcome_texts(pulled: Pulled) -> list[str]:
    return [
        issue["details"]["text"]
        for e in pulled.bundle["entry"]
        if e["resource"]["resourceType"] == "OperationOutcome"
        for issue in e["resource"]["issue"]
        if issue["severity"] == "error"
    ]


def test_a_whole_answer_has_no_problem(peer: FhirPeer, tmp_path: Path) -> None:
    pulled = pull(peer, tmp_path)
    assert names(pulled) == {f"Patient/{PATIENT}", "Observation/o-1"}
    assert pulled.counts == {"Observation": 1, "Patient": 1}
    assert pulled.problems == ()
    assert pulled.bundle["entry"][1]["fullUrl"] == f"{peer.base}/Observation/o-1"


def test_every_type_is_asked_for_and_medications_are_included(
    peer: FhirPeer, tmp_path: Path
) -> None:
    drug = {"resourceType": "Medication", "id": "m-1"}
    peer.instead(
        "MedicationRequest", as_json(bundle([of_patient("MedicationRequest", "r-1"), drug]))
    )
    pulled = pull(peer, tmp_path)
    asked = {path.split("?")[0].removeprefix("/fhir/") for path in peer.asked}
    assert asked >= {
        f"Patient/{PATIENT}",
        "Encounter",
        "Observation",
        "Condition",
        "MedicationRequest",
        "MedicationStatement",
        "MedicationAdministration",
        "AllergyIntolerance",
        "Procedure",
        "DiagnosticReport",
        "ImagingStudy",
        "DocumentReference",
    }
    assert any("_include=MedicationRequest:medication" in path for path in peer.asked)
    assert "Medication/m-1" in names(pulled)


def test_pages_are_followed_to_the_last(peer: FhirPeer, tmp_path: Path) -> None:
    first = bundle(
        [of_patient("Observation", "o-1")],
        total=3,
        link=[{"relation": "next", "url": f"{peer.base}/Observation?page=2"}],
    )
    second = bundle(
        [of_patient("Observation", "o-2")],
        total=3,
        link=[{"relation": "next", "url": "Observation?page=3"}],
    )
    peer.instead("Observation", as_json(first))
    peer.instead("Observation?page=2", as_json(second))
    peer.instead("Observation?page=3", as_json(bundle([of_patient("Observation", "o-3")], total=3)))
    pulled = pull(peer, tmp_path)
    assert pulled.counts["Observation"] == 3
    assert pulled.problems == ()


WRONG = [
    pytest.param("Observation", of_patient("Observation", "o-9", "p-2"), id="subject"),
    pytest.param("AllergyIntolerance", of_patient("AllergyIntolerance", "a", "p-2"), id="patient"),
    pytest.param(
        "Condition",
        of_patient(
            "Condition", "c", subject={"reference": "https://other.example/fhir/Patient/p-1"}
        ),
        id="same-id-at-another-server",
    ),
]


@pytest.mark.parametrize(("kind", "wrong"), WRONG)
def test_data_of_another_patient_ends_the_pull_and_nothing_is_fused(
    peer: FhirPeer, tmp_path: Path, kind: str, wrong: dict[str, Any]
) -> None:
    peer.instead(kind, as_json(bundle([wrong])))
    with pytest.raises(IdentityConflictError, match="another patient") as caught:
        pull(peer, tmp_path)
    assert "p-2" not in str(caught.value)


def test_another_patient_on_a_later_page_ends_the_pull_too(peer: FhirPeer, tmp_path: Path) -> None:
    first = bundle(
        [of_patient("Observation", "o-1")],
        link=[{"relation": "next", "url": f"{peer.base}/Observation?page=2"}],
    )
    peer.instead("Observation", as_json(first))
    peer.instead("Observation?page=2", as_json(bundle([of_patient("Observation", "o-2", "p-2")])))
    with pytest.raises(IdentityConflictError):
        pull(peer, tmp_path)


def test_the_wrong_patient_for_the_id_is_refused(peer: FhirPeer, tmp_path: Path) -> None:
    peer.instead(f"Patient/{PATIENT}", as_json({"resourceType": "Patient", "id": "p-2"}))
    with pytest.raises(IdentityConflictError):
        pull(peer, tmp_path)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "the token is not accepted"),
        (403, "the token does not allow it"),
        (429, "slow down"),
        (500, "500"),
        (302, "redirects are not followed"),
    ],
)
def test_a_search_that_fails_is_said_and_never_silently_empty(
    peer: FhirPeer, tmp_path: Path, status: int, words: str
) -> None:
    refusal = as_json({"resourceType": "OperationOutcome"}, status, Location=f"{peer.base}/x")
    peer.instead("Observation", refusal)
    pulled = pull(peer, tmp_path)
    (problem,) = pulled.problems
    assert problem.startswith("Observation could not be read: ")
    assert words in problem
    assert outcome_texts(pulled) == [problem]
    assert names(pulled) == {f"Patient/{PATIENT}"}


def test_a_type_the_server_does_not_offer_is_told_apart_from_a_failure(
    peer: FhirPeer, tmp_path: Path
) -> None:
    peer.instead("ImagingStudy", as_json({"resourceType": "OperationOutcome"}, 404))
    pulled = pull(peer, tmp_path)
    assert pulled.not_offered == ("ImagingStudy",)
    assert pulled.problems == ()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, NotFoundError, "is not known"),
        (410, NotFoundError, "is not known"),
        (401, UnavailableError, "launch again"),
        (403, UnavailableError, "does not allow"),
        (500, UnavailableError, "nothing was pulled"),
    ],
)
def test_without_the_patient_nothing_is_pulled(
    peer: FhirPeer, tmp_path: Path, status: int, error: type[Exception], words: str
) -> None:
    peer.instead(f"Patient/{PATIENT}", as_json({}, status))
    with pytest.raises(error, match=words):
        pull(peer, tmp_path)
    assert len(peer.asked) == 1


def test_a_slow_search_is_given_up_and_said(peer: FhirPeer, tmp_path: Path) -> None:
    with slow_server(peer) as slow:
        pulled = pull(slow, tmp_path, outbound_timeout_s=0.3)
    assert any("too slow" in p and p.startswith("Observation") for p in pulled.problems)


def slow_server(healthy: FhirPeer) -> Any:
    import threading
    from contextlib import contextmanager

    @contextmanager
    def running() -> Iterator[FhirPeer]:
        gate = threading.Event()

        def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
            if path.startswith("/fhir/Observation"):
                gate.wait(2)
            return healthy.answer(method, path, headers, body)

        with serving(answer) as peer:
            try:
                yield FhirPeer(url=peer.url, peer=peer)
            finally:
                gate.set()

    return running()


CUT_OFF = (200, {"Content-Type": "application/json"}, b'{"resourceType": "Bundle", "entry": [')


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(CUT_OFF, "not JSON", id="cut-off"),
        pytest.param(as_json([1, 2]), "not a search result", id="a-list"),
        pytest.param(as_json({"resourceType": "Bundle", "entry": {}}), "no list", id="no-list"),
        pytest.param(
            as_json({"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}),
            "an entry without a resource",
            id="empty-entry",
        ),
        pytest.param(
            as_json(
                {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "timeout"}],
                }
            ),
            "reports an error (timeout)",
            id="outcome-with-200",
        ),
        pytest.param(
            as_json(bundle([of_patient("Observation", "o-1")], total=7)),
            "says there are 7, and 1 came",
            id="fewer-than-it-says",
        ),
        pytest.param(
            as_json(bundle([{"resourceType": "Observation", "id": "o-5"}])),
            "does not name its patient",
            id="no-subject",
        ),
        pytest.param(
            as_json(bundle([of_patient("CarePlan", "c-5")], total=0)),
            "a CarePlan, which is not read here",
            id="another-type",
        ),
        pytest.param(
            as_json(
                bundle(
                    [
                        of_patient("Observation", "o-1"),
                        {
                            "resourceType": "OperationOutcome",
                            "issue": [{"severity": "error", "code": "incomplete"}],
                        },
                    ],
                    total=1,
                )
            ),
            "reports an error (incomplete)",
            id="outcome-in-the-bundle",
        ),
    ],
)
def test_a_damaged_answer_is_said(
    peer: FhirPeer, tmp_path: Path, answer: Answer, words: str
) -> None:
    peer.instead("Observation", answer)
    pulled = pull(peer, tmp_path)
    assert any(
        p.startswith("Observation could not be read: ") and words in p for p in pulled.problems
    )
    assert outcome_texts(pulled) == list(pulled.problems)


def test_a_warning_of_the_server_is_no_failure(peer: FhirPeer, tmp_path: Path) -> None:
    warning = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "not-supported"}],
    }
    found = bundle([of_patient("Observation", "o-1"), warning], total=1)
    peer.instead("Observation", as_json(found))
    assert pull(peer, tmp_path).problems == ()


def said(severity: str, code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


CUT = [
    pytest.param(bundle([said("warning", "suppressed")], total=0), id="suppressed"),
    pytest.param(bundle([said("information", "incomplete")], total=0), id="incomplete"),
    pytest.param(bundle([said("information", "throttled")], total=0), id="throttled"),
    pytest.param(bundle([], link={"relation": "next", "url": "x"}), id="links-that-are-no-list"),
    pytest.param(bundle([], type="history"), id="history"),
    pytest.param(bundle([], total="0"), id="total-that-is-no-number"),
]


@pytest.mark.parametrize("answer", CUT)
def test_an_answer_that_says_it_is_cut_is_not_read(
    peer: FhirPeer, tmp_path: Path, answer: dict[str, Any]
) -> None:
    peer.instead("Observation", as_json(answer))
    pulled = pull(peer, tmp_path)
    assert any(p.startswith("Observation could not be read: ") for p in pulled.problems)
    assert pulled.unread == {"Observation"}


def test_a_further_page_is_read_whatever_the_letters_of_its_link(
    peer: FhirPeer, tmp_path: Path
) -> None:
    link = [{"relation": "NEXT", "url": f"{peer.base}/Observation?page=2"}]
    peer.instead("Observation", as_json(bundle([of_patient("Observation", "o-1")], link=link)))
    peer.instead("Observation?page=2", as_json(bundle([of_patient("Observation", "o-2")])))
    assert pull(peer, tmp_path).counts["Observation"] == 2


def test_a_result_that_came_with_its_report_is_used(peer: FhirPeer, tmp_path: Path) -> None:
    report = of_patient("DiagnosticReport", "r-1")
    result = of_patient("Observation", "o-2")
    peer.instead("DiagnosticReport", as_json(bundle([report, result], total=1)))
    pulled = pull(peer, tmp_path)
    assert pulled.problems == ()
    assert {"Observation/o-1", "Observation/o-2", "DiagnosticReport/r-1"} <= names(pulled)


def test_two_contents_of_one_result_are_both_kept(peer: FhirPeer, tmp_path: Path) -> None:
    other = of_patient("Observation", "o-1", status="amended")
    report = of_patient("DiagnosticReport", "r-1")
    peer.instead("DiagnosticReport", as_json(bundle([report, other], total=1)))
    pulled = pull(peer, tmp_path)
    statuses = [
        e["resource"]["status"]
        for e in pulled.bundle["entry"]
        if e["resource"]["resourceType"] == "Observation"
    ]
    assert sorted(statuses) == ["amended", "final"]
    assert pulled.counts["Observation"] == 1


@pytest.mark.parametrize("kind", ["CarePlan", "Condition", "Specimen", "RelatedPerson"])
def test_an_entry_of_another_patient_ends_the_pull_also_where_it_is_not_used(
    peer: FhirPeer, tmp_path: Path, kind: str
) -> None:
    owner = "patient" if kind == "RelatedPerson" else "subject"
    other = {"resourceType": kind, "id": "x", owner: {"reference": "Patient/p-2"}}
    peer.instead("Observation", as_json(bundle([other], total=0)))
    with pytest.raises(IdentityConflictError):
        pull(peer, tmp_path)


@pytest.mark.parametrize(
    "kind",
    ["Observation", "Condition", "DiagnosticReport", "Encounter", "MedicationRequest", "Procedure"],
)
@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_what_an_assessment_rests_on_has_failed(
    peer: FhirPeer, tmp_path: Path, kind: str, status: int
) -> None:
    peer.instead(kind, as_json({"resourceType": "OperationOutcome"}, status))
    pulled = pull(peer, tmp_path)
    assert pulled.not_offered == ()
    assert any(p.startswith(f"{kind} could not be read: ") for p in pulled.problems)


def test_a_next_page_at_another_server_is_not_asked_for(peer: FhirPeer, tmp_path: Path) -> None:
    with fhir_peer() as other:
        link = [{"relation": "next", "url": f"{other.base}/Observation?page=2"}]
        page = bundle([of_patient("Observation", "o-1")], link=link)
        peer.instead("Observation", as_json(page))
        pulled = pull(peer, tmp_path)
        assert other.asked == []
    assert any("at another server" in problem for problem in pulled.problems)
    assert "Observation/o-1" in names(pulled)


def test_pages_that_lead_in_a_circle_end(peer: FhirPeer, tmp_path: Path) -> None:
    link = [{"relation": "next", "url": f"{peer.base}/Observation?page=2"}]
    page = as_json(bundle([of_patient("Observation", "o-1")], link=link))
    peer.instead("Observation", page)
    peer.instead("Observation?page=2", page)
    pulled = pull(peer, tmp_path)
    assert any("lead back" in problem for problem in pulled.problems)


def test_pages_without_end_are_cut_and_said(peer: FhirPeer, tmp_path: Path) -> None:
    for number in range(1, 9):
        link = [{"relation": "next", "url": f"{peer.base}/Observation?page={number + 1}"}]
        page = bundle([of_patient("Observation", f"o-{number}")], link=link, total=99)
        peer.instead("Observation" if number == 1 else f"Observation?page={number}", as_json(page))
    pulled = pull(peer, tmp_path, limits=Limits(pages=4))
    assert pulled.counts["Observation"] == 4
    assert any("more than 4 pages" in problem for problem in pulled.problems)


def test_when_the_time_is_up_the_rest_is_said_to_be_unread(peer: FhirPeer, tmp_path: Path) -> None:
    moments = iter([0.0, *[0.5] * 2, *[99.0] * 100])
    pulled = pull_patient(
        fetch_by(peer, tmp_path),
        base=peer.base,
        patient=PATIENT,
        limits=Limits(seconds=60),
        timer=lambda: next(moments),
    )
    late = [problem for problem in pulled.problems if "no time left" in problem]
    assert len(late) >= 9
