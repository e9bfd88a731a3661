"""When images were made, by the zone of the site where they state none: a dissection is dated."""

from pathlib import Path

import pytest

from tests.serving.cases.fresh import fresh
from tests.serving.reading.test_reading import ANNA, Desk
from tests.tools.imaging.view.made import CR, image, ramp

NOON = {"StudyDate": "20261120", "StudyTime": "120000", "ContentDate": "20261120"}
NOON |= {"ContentTime": "120000", "AcquisitionDate": "20261120", "AcquisitionTime": "120000"}


@pytest.mark.parametrize(
    ("zone", "stated", "expected"),
    [
        ("Europe/Berlin", {}, "2026-11-20T12:00:00+01:00"),  # winter time
        ("Europe/Berlin", {"TimezoneOffsetFromUTC": "+0500"}, "2026-11-20T12:00:00+05:00"),
        (None, {}, None),
    ],
    ids=["of the site", "of the image", "of nobody"],
)
def test_the_zone_of_the_site_counts_where_the_image_states_none(
    tmp_path: Path, zone: str | None, stated: dict[str, str], expected: str | None
) -> None:
    film = image(ramp(), sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.77", **NOON, **stated)
    with fresh(tmp_path, time_zone=zone) as made:
        desk = Desk(made, film=film)
        desk.done("start", {"form": "general_imaging"}, by=ANNA)
        done = desk.seen()["content"]["study"].get("done")
    if expected is None:
        assert done is None
    else:
        from datetime import datetime

        assert datetime.fromisoformat(done) == datetime.fromisoformat(expected)
