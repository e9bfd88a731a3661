"""No bytes whatever make the listener silent: each block has an answer that can be read."""

from datetime import UTC, datetime

import hl7  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.hl7_in.accept import Accepted, Refused, check, head_of
from serving.hl7_in.answer import acknowledgement
from tests.tools.intake.hl7v2.test_fuzz import mutated

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@settings(
    max_examples=100,
    deadline=60_000,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.one_of(mutated(), st.binary(max_size=200)))
def test_every_block_has_an_answer_that_another_parser_reads(content: bytes) -> None:
    found = check(content, processing=("P", "T", "D"))
    refused = None if isinstance(found, Accepted) else found
    answer = acknowledgement(head_of(content), refused, at=NOW)
    assert answer.startswith(b"\x0b")
    assert answer.endswith(b"\x1c\r")
    assert answer.count(b"\x1c") == 1
    read = hl7.parse(answer[1:-2].decode("ascii"))
    code = str(read.segment("MSA")[1])
    assert code == ("AA" if refused is None else refused.code)
    if isinstance(found, Refused):
        assert found.code in ("AE", "AR")
        assert found.text
