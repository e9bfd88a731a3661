"""Only verified sentences are shown, and nothing of the deterministic narrative is lost."""

import asyncio

import pytest

from agent.llm.errors import LLMDownError, LLMIncoherentError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest
from agent.verify import verify
from agent.write import Written, chosen, grouped, join, told, write, write_verified
from tests.agent.verify.sheets import NAMES, assessed, sheet

TRUE = {
    "s1": "A 71-year-old woman has had pain since 2026-11-20 10:30 "
    "(4 h 10 min before the assessment).",
    "s2": "The ECG shows ST depression (I, V3, V4, V5, V6) and sinus rhythm, 88/min.",
    "s3": "High-sensitivity troponin T was 24 ng/L, then 43 ng/L after 62 min (change +19 ng/L); "
    "ESC 0/1 h: rule-in of acute myocardial injury by troponin, probable MI with a fitting "
    "clinical picture.",
    "s4": "The GRACE in-hospital score is 157: high (in-hospital death above 3 %), and the ADD-RS "
    "is 0: low (low probability; alone it does not rule out, 4 to 6 % still had the disease).",
}
LIE = "The ECG shows ST elevation consistent with infarction."


def run(llm: FakeLLM, name: str = "nstemi") -> Written:
    return asyncio.run(write_verified(llm, sheet(name), language="en"))


def test_true_sentences_are_kept_in_one_call() -> None:
    llm = FakeLLM({"write": [TRUE]})
    written = run(llm)
    assert (written.written, written.survived_first, written.survived) == (4, 4, 4)
    assert written.share == 1.0
    assert len(llm.requests) == 1
    assert all(sentence.evidence for sentence in written.sentences)


def test_a_lie_is_written_again_once_with_the_reason() -> None:
    llm = FakeLLM({"write": [{**TRUE, "s2": LIE}], "revise": [{"s1": TRUE["s2"]}]})
    written = run(llm)
    assert (written.survived_first, written.revised, written.survived) == (3, 1, 4)
    asked = llm.requests[1].messages[0].content
    assert LIE in asked
    assert "consistent" in asked
    assert [s.revised for s in written.sentences] == [False, True, False, False]


def test_a_lie_told_twice_is_dropped_and_counted() -> None:
    llm = FakeLLM({"write": [{**TRUE, "s2": LIE}], "revise": [{"s1": LIE}]})
    written = run(llm)
    assert (written.written, written.survived) == (4, 3)
    assert [d.text for d in written.dropped] == [LIE]
    assert written.dropped[0].revised
    assert written.dropped[0].failures
    assert len(llm.requests) == 2


def test_a_true_sentence_in_the_place_of_another_cites_what_it_tells() -> None:
    shifted = {"s1": TRUE["s2"], "s2": TRUE["s3"], "s3": TRUE["s1"], "s4": TRUE["s4"]}
    written = run(FakeLLM({"write": [shifted]}))
    assert (written.survived_first, written.survived) == (4, 4)
    straight = {one.text: one for one in run(FakeLLM({"write": [TRUE]})).sentences}
    assert {one.text: one for one in written.sentences} == straight


def test_what_is_told_in_its_own_place_is_not_told_again_in_another() -> None:
    twice = {**TRUE, "s3": TRUE["s2"]}
    written = run(FakeLLM({"write": [twice], "revise": [{"s1": TRUE["s2"]}]}))
    assert [one.text for one in written.sentences] == [TRUE["s1"], TRUE["s2"], TRUE["s4"]]
    assert [one.text for one in written.dropped] == [TRUE["s2"]]


def test_a_revision_that_cannot_be_had_drops_the_sentence_only() -> None:
    llm = FakeLLM({"write": [{**TRUE, "s2": LIE}], "revise": [LLMDownError("the model", "gone")]})
    written = run(llm)
    assert written.survived == 3
    assert not written.dropped[0].revised
    assert "gone" in written.revision_failed


def test_a_revision_that_was_had_or_not_needed_did_not_fail() -> None:
    assert run(FakeLLM({"write": [TRUE]})).revision_failed == ""
    again = FakeLLM({"write": [{**TRUE, "s2": LIE}], "revise": [{"s1": LIE}]})
    assert run(again).revision_failed == ""


def test_a_model_that_is_down_is_an_error_not_an_empty_narrative() -> None:
    with pytest.raises(LLMDownError):
        run(FakeLLM({"write": [LLMDownError("the model", "gone")]}))
    with pytest.raises(LLMIncoherentError):
        run(FakeLLM({"write": ["not JSON"]}))


def test_the_headline_and_urgency_are_always_the_pathways() -> None:
    lying = FakeLLM(lambda request: dict.fromkeys(_keys(request), "All is well."))
    for name in NAMES:
        narrative = join(assessed(name), sheet(name), run(lying, name))
        assert narrative.headline == assessed(name).narrative.headline
        assert narrative.urgency == assessed(name).narrative.urgency


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_only_lies_leaves_the_deterministic_narrative(name: str) -> None:
    lying = FakeLLM(lambda request: dict.fromkeys(_keys(request), LIE))
    narrative = join(assessed(name), sheet(name), run(lying, name))
    assert narrative.sentences == assessed(name).narrative.sentences
    assert narrative.author == "templates"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [1, 2, 3, 9])
def test_nothing_the_templates_say_is_lost(name: str, kept: int) -> None:
    facts = sheet(name)
    groups = grouped(chosen(facts))
    script = {f"s{i}": told(g) if i <= kept else LIE for i, g in enumerate(groups, 1)}
    llm = FakeLLM(
        lambda request: script if request.purpose == "write" else dict.fromkeys(_keys(request), LIE)
    )
    written = run(llm, name)
    narrative = join(assessed(name), facts, written)
    covered = {key for sentence in written.sentences for key in sentence.covered}
    shown = {sentence.text for sentence in narrative.sentences}
    assert len(written.sentences) == min(kept, len(groups))
    for index, sentence in enumerate(assessed(name).narrative.sentences):
        of_it = [f for f in facts.facts if f.sentence == index]
        told_otherwise = of_it and all(f.id in covered or f.text in shown for f in of_it)
        assert sentence.text in shown or told_otherwise


def test_a_fact_told_in_part_keeps_its_template_sentence() -> None:
    part = {**TRUE, "s4": "The GRACE in-hospital score is 157: high (in-hospital death above 3 %)."}
    narrative = join(assessed("nstemi"), sheet("nstemi"), run(FakeLLM({"write": [part]})))
    texts = [sentence.text for sentence in narrative.sentences]
    assert not any(text.startswith("GRACE in-hospital score 157") for text in texts)
    assert any(text.startswith("ADD-RS 0: low") for text in texts)


def test_a_fact_the_model_leaves_out_stands_in_by_itself() -> None:
    part = {**TRUE, "s2": "The ECG shows ST depression (I, V3, V4, V5, V6)."}
    narrative = join(assessed("nstemi"), sheet("nstemi"), run(FakeLLM({"write": [part]})))
    texts = [sentence.text for sentence in narrative.sentences]
    assert "ECG: sinus rhythm, 88/min." in texts
    assert "ECG: ST depression (I, V3, V4, V5, V6); sinus rhythm, 88/min." not in texts


def test_the_author_says_how_many_sentences_were_kept() -> None:
    narrative = join(assessed("nstemi"), sheet("nstemi"), run(FakeLLM({"write": [TRUE]})))
    assert narrative.author == "fake, verified, 4 of 4 sentences kept; the rest by templates"


def test_every_length_of_the_request_is_bounded() -> None:
    llm = FakeLLM({"write": [TRUE]})
    asyncio.run(write(llm, sheet("nstemi"), language="en"))
    schema = llm.requests[0].json_schema
    assert schema is not None
    assert all("maxLength" in row for row in schema["properties"].values())
    assert schema["additionalProperties"] is False
    assert llm.requests[0].prompt.startswith("write.en@")


def test_a_chinese_draft_is_verified_against_the_chinese_facts() -> None:
    facts = sheet("nstemi", "zh")
    groups = grouped(chosen(facts))
    honest = {f"s{i}": told(g) for i, g in enumerate(groups, 1)}
    written = asyncio.run(write_verified(FakeLLM({"write": [honest]}), facts, language="zh"))
    assert written.share == 1.0
    assert verify(honest["s1"].replace("71", "72"), written.sentences[0].refs, facts).ok is False


def _keys(request: ChatRequest) -> list[str]:
    assert request.json_schema is not None
    return list(request.json_schema["required"])
