"""The service signs nothing that says nothing, or that asks to look again and was not confirmed."""

from pathlib import Path

from tests.serving.cases.fresh import fresh
from tests.serving.reading.test_reading import ANNA, Desk, stated


def test_an_empty_reading_and_one_to_look_at_again_are_not_signed(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        desk = Desk(made)
        desk.done("start", {"form": "general_imaging"}, by=ANNA)
        assert "says nothing" in desk.refused("sign", by=ANNA)
        changes = stated(abnormal="absent", urgent_contact="present")
        desk.done("content", {"changes": changes}, by=ANNA)
        assert "look again" in desk.refused("sign", by=ANNA)
        made.who[0] = ANNA
        page = made.client().get(f"/cases/{desk.case}/readings/{desk.first}").text
        assert 'name="accept" value="urgent_without_finding"' in page
        desk.refused("sign", {"accept": ["something_else"]}, by=ANNA)
        assert (
            desk.done("sign", {"accept": ["urgent_without_finding"]}, by=ANNA)["state"]
            == "to review"
        )
