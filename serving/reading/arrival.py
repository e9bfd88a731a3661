"""A study arrives: a round of reading for it, and what the tools can say before anybody looks."""

from typing import Any

from agent.assessment import Status
from serving.audit.seam import SERVICE
from serving.cases.model import Case, StoredAssessment
from serving.reading.model import Person
from serving.reading.store import RoundStore
from serving.reading.tables import RoundRow
from serving.services import Services
from tools.imaging.model import Study

TOOLS = Person(subject=SERVICE.subject, name="Epicrisis")
"""Who a study that arrived, and the pre-reading, are by."""

_TITLE = 200


def read_arrivals(services: Services) -> None:
    """Put every study of every new version on the reading worklist, from now on."""

    def follow(
        case: Case, stored: StoredAssessment, before: StoredAssessment | None = None
    ) -> None:
        arrived(services, case, stored)

    services.listeners.append(follow)


def arrived(services: Services, case: Case, stored: StoredAssessment) -> int:
    """Make a round for each study of a version that has none; return how many were made.

    A study whose files are among those of a known one is that study, with further images. May be
    called again for the same version.

    Args:
        services: Of the application.
        case: The case.
        stored: Its newest version.
    """
    if stored.status == Status.REFUSED:
        return 0
    studies = [Study.model_validate(one) for one in stored.body.get("imaging", ())]
    if not studies:
        return 0
    store = RoundStore(services.database, services.clock)
    made = 0
    with store.case(case.id) as session:
        known = [row for row in store.rows(session, case.id) if row.kind == "first"]
        for study in studies:
            same = next((row for row in known if _is_same(row, study)), None)
            if same is None:
                step = store.add(
                    session,
                    by=TOOLS,
                    what="arrived",
                    case_id=case.id,
                    kind="first",
                    title=study.title[:_TITLE],
                    modality=study.modality or "OT",
                    files=list(study.files),
                    question="",
                )
                step.log("pre-read", **pre_read(study))
                made += 1
            elif set(study.files) - set(same.files):
                store.note_images(session, same, study.files, by=TOOLS)
    return made


def pre_read(study: Study) -> dict[str, Any]:
    """Return what the tools say of a study before anybody looks: its quality, and what is not said.

    Nothing is filled into a form here: what an image shows is not assessed without a validated
    model, and that is what the log says.
    """
    return {
        "quality": [problem.detail for problem in study.problems],
        "not_assessed": study.not_assessed.detail,
    }


def _is_same(row: RoundRow, study: Study) -> bool:
    return row.modality == (study.modality or "OT") and bool(set(row.files) & set(study.files))
