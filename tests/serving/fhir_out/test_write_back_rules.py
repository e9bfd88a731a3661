from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from serving.access.errors import ConflictError, ForbiddenError, UnauthenticatedError
from serving.access.smart.protocol import SmartContext
from serving.cases.model import Case
from serving.fhir_out.back_service import WriteBackService
from tests.serving.cases.fresh import ANNA, Fresh, example, fresh

BASE = "https://ehr.example/fhir"
SCOPE = "patient/DiagnosticReport.cruds"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("rules"), fhir_write_back=[BASE]) as found:
        yield found


@pytest.fixture(scope="module")
def case(made: Fresh) -> Case:
    services = made.services
    found = services.cases.create(
        label="bed 4", source="fhir", by="anna", patient=f"{BASE}|Patient/patient"
    )
    for name, content in example("half_missing"):
        services.cases.add_file(found.id, name, content, by="anna")
    from serving.cases.service import CaseService

    CaseService(services).assess(found, principal=ANNA, why="new file")
    return found


def launched(**changes: object) -> SmartContext:
    values: dict[str, object] = {
        "iss": BASE,
        "patient": "patient",
        "scope": SCOPE,
        "fhir_user": "Practitioner/1",
        "token_expires_at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        "access_token": SecretStr("t-1"),
        **changes,
    }
    return SmartContext.model_validate(values)


@pytest.mark.parametrize(
    ("smart", "error", "words"),
    [
        pytest.param(None, ForbiddenError, "without a launch", id="no-launch"),
        pytest.param(
            launched(iss="https://other.example/fhir"), ForbiddenError, "this EHR", id="other-ehr"
        ),
        pytest.param(
            launched(patient="somebody"), ForbiddenError, "another patient", id="other-patient"
        ),
        pytest.param(
            launched(access_token=None), UnauthenticatedError, "launch again", id="token-ended"
        ),
        pytest.param(
            launched(scope="patient/DiagnosticReport.rs"),
            ForbiddenError,
            "did not grant",
            id="scope-not-granted",
        ),
        pytest.param(launched(), ConflictError, "is a draft", id="not-signed"),
    ],
)
def test_nothing_is_written_unless_everything_allows_it(
    made: Fresh, case: Case, smart: SmartContext | None, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        WriteBackService(made.services).write(case, principal=ANNA, smart=smart)


def test_over_http_a_login_without_a_launch_writes_nothing(made: Fresh, case: Case) -> None:
    with made.client() as client:
        assert client.post(f"/v1/cases/{case.id}/report/write-back").status_code == 403
