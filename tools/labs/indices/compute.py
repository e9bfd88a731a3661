"""Any index by its id, from what a chart holds."""

import importlib
import inspect
from collections.abc import Callable, Mapping

from knowledge.finding import Finding, NotAssessed
from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from tools.labs.indices.given import Given
from tools.labs.indices.mixed import mixed_methods
from tools.labs.indices.supplied import (
    Supplied,
    as_given,
    not_together,
    two_times,
    upper_limit_caveats,
)

IndexFunction = Callable[..., Index]


def function_of(index_id: str) -> IndexFunction:
    """Return the function of an index; its arguments are the keys of the row.

    Raises:
        KeyError: There is no such index.
    """
    family = laboratory_indices().indices[index_id].family
    module = importlib.import_module(f"tools.labs.indices.{family}")
    found: IndexFunction = getattr(module, index_id)
    return found


def compute(
    index_id: str,
    supplied: Mapping[str, Supplied],
    answers: Mapping[str, str | bool | None] | None = None,
) -> Index:
    """Return an index from findings or quantities in any unit of their analyte.

    Findings must have been collected within the hours the table allows; what is not given is
    missing, never assumed.

    Args:
        index_id: Row of ``laboratory_indices.yaml``.
        supplied: By the name of the input.
        answers: By the name of the option, or of an argument that only selects limits.
    """
    row = laboratory_indices().indices[index_id]
    given: dict[str, Given] = {
        key: as_given(spec, supplied.get(key)) for key, spec in row.inputs.items()
    }
    apart = not_together(row.inputs, supplied, laboratory_indices().together_hours(index_id))
    if apart is not None:
        given = {
            key: _withheld(apart, value) if row.inputs[key].timed else value
            for key, value in given.items()
        }
    function = function_of(index_id)
    chosen = {
        name: (answers or {}).get(name)
        for name in inspect.signature(function).parameters
        if name not in row.inputs
    }
    result = function(**given, **chosen)
    evidence = tuple(e for s in supplied.values() if isinstance(s, Finding) for e in s.evidence)
    return result.model_copy(
        update={
            "evidence": (*evidence, *result.evidence),
            "caveats": (
                *upper_limit_caveats(tuple(supplied.values())),
                *(() if apart is not None else two_times(row.inputs, supplied)),
                *(mixed_methods(row.inputs, supplied) if row.one_method else ()),
                *result.caveats,
            ),
        }
    )


def _withheld(reason: NotAssessed, value: Given) -> Given:
    """Return the reason in place of a value: values of two times are not put together."""
    return value if isinstance(value, NotAssessed) or value is None else reason
