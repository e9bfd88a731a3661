"""Putting models together without a second check gives what the checked way gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evidence import FhirEvidence
from knowledge.model import Frozen, put_together
from knowledge.patient import Patient
from knowledge.quantity import Quantity
from knowledge.timeline import Timeline

TEXTS = st.text(max_size=20)
FIELDS = st.one_of(
    st.tuples(
        st.just(Quantity),
        st.fixed_dictionaries(
            {
                "kind": st.just("quantity"),
                "value": st.floats(allow_nan=False, allow_infinity=False),
                "unit": TEXTS,
            }
        ),
    ),
    st.tuples(
        st.just(FhirEvidence),
        st.fixed_dictionaries(
            {"kind": st.just("fhir"), "file": TEXTS, "resource": TEXTS, "path": TEXTS}
        ),
    ),
)


@given(FIELDS)
def test_what_is_put_together_is_what_a_full_check_makes(
    given_: tuple[type[Frozen], dict[str, Any]],
) -> None:
    model, fields = given_
    in_order = {name: fields[name] for name in model.model_fields}
    made, checked = put_together(model, in_order), model(**fields)
    assert made == checked
    assert made.model_fields_set == checked.model_fields_set
    assert made.model_dump_json() == checked.model_dump_json()
    assert made.model_copy(update={}) == checked
    assert hash(made) == hash(checked)


def test_what_is_put_together_cannot_be_changed() -> None:
    made = put_together(Quantity, {"kind": "quantity", "value": 1.0, "unit": "g/L"})
    with pytest.raises(ValueError, match="frozen"):
        made.value = 2.0


def test_a_timeline_that_was_put_in_order_passes_the_full_check() -> None:
    made = Timeline.of(Patient(), ())
    assert Timeline.model_validate_json(made.model_dump_json()) == made
