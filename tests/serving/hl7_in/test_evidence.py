"""What was read from a message leads back to its segment."""

from knowledge.evidence import FhirEvidence
from serving.evidence.fhir_field import show_field
from serving.evidence.protocol import FieldShown, NotShown
from tests.tools.intake.hl7v2.messages import obx, oru
from tools.intake.hl7v2.reader import linked, parse


def test_a_result_is_shown_with_the_segment_it_came_in() -> None:
    content = oru(obx("12"), obx("60", number=2, code="1^other^L"))
    (read,) = linked([parse(content, "m.hl7")])
    place = next(e for e in read.entries if e.type == "Observation" and "67151" in e.name)
    evidence = FhirEvidence(file="m.hl7", resource=place.name, path="Observation.valueQuantity")
    shown = show_field(evidence, content)
    assert isinstance(shown, FieldShown)
    rows = {row.name: row for row in shown.rows}
    assert rows["HL7 v2 segment"].value == obx("12")
    assert rows["valueQuantity.value"].value == "12"
    assert rows["valueQuantity.value"].marked


def test_a_result_that_a_message_does_not_hold_is_said_to_be_missing() -> None:
    evidence = FhirEvidence(file="m.hl7", resource="Observation/hl7.x-1", path="Observation.code")
    shown = show_field(evidence, oru(obx("12")))
    assert isinstance(shown, NotShown)
    assert "is not in m.hl7" in shown.reason
