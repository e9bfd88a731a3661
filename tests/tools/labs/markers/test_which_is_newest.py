"""A marker whose newest sample is not known is not judged."""

from knowledge.finding import Why
from tests.tools.labs.markers.samples import AT, sample
from tools.labs.markers.lactate import lactate_clearance


def test_two_values_of_one_minute_are_not_judged() -> None:
    found = lactate_clearance((sample("lactate", 1.0), sample("lactate", 6.0)), at=AT)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.CONFLICTING
    assert found.value is None


def test_an_undated_sample_may_be_the_newest() -> None:
    undated = sample("lactate", 6.0).model_copy(update={"time": None})
    found = lactate_clearance((sample("lactate", 1.0), undated), at=AT)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.TIME_NOT_GIVEN
