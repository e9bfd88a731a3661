"""A head CT that is signed with a haemorrhage stands in the way of fibrinolysis.

ESC 2023 (doi:10.1093/eurheartj/ehad191): an intracranial haemorrhage at any time is an absolute
contraindication to fibrinolysis.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from agent.assessment import Assessment
from evals.phantoms.readings import reading
from tests.agent.cases import assessed, example, resources
from tools.readings.model import Said, Study, Subject
from tools.readings.versions import signed

AGAINST = "stemi_lysis_contraindicated"


def signed_head_ct(folder: Path, items: dict[str, str], *, dated: bool = True) -> Assessment:
    """Return the assessment of the STEMI example with a head CT of its patient."""
    case = example("stemi", folder)
    chart = json.loads((case / "chart.json").read_text("utf-8"))
    (patient,) = resources(chart, "Patient")
    number = patient["identifier"][0]
    stated = str(yaml.safe_load((case / "case.yaml").read_text("utf-8"))["at"])
    at = datetime.fromisoformat(stated).astimezone(UTC)
    one = reading(
        "stroke_aspects",
        items,
        subject=Subject(id=number["value"], issuer=number["system"], sex=patient["gender"]),
        study=Study(
            study_uid="1.2.9", modality="CT", done=at - timedelta(minutes=10) if dated else None
        ),
    )
    by = Said(by="reader", who="Dr Reader", at=at - timedelta(minutes=2))
    (case / "head.json").write_text(signed(one, by=by).model_dump_json(by_alias=True), "utf-8")
    return assessed(case)


@pytest.mark.parametrize("dated", [True, False])
def test_a_signed_haemorrhage_is_named_among_what_forbids_fibrinolysis(
    tmp_path: Path, dated: bool
) -> None:
    a = signed_head_ct(tmp_path, {"haemorrhage": "present;side=left"}, dated=dated)
    (against,) = [one.text for one in a.recommendations if one.id == AGAINST]
    assert "the case holds an intracranial haemorrhage" in against
    assert a.readings[0].answers == ("intracranial_haemorrhage",)
    (told,) = [one.text for one in a.recommendations if one.id == "urgent_reading"]
    assert "intracranial haemorrhage" in told


def test_a_head_ct_without_one_is_no_answer_to_one_at_any_time(tmp_path: Path) -> None:
    a = signed_head_ct(tmp_path, {"haemorrhage": "absent"})
    assert a.readings[0].answers == ()
    assert AGAINST not in {one.id for one in a.recommendations}
