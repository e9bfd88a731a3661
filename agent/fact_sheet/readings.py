# ruff: noqa: RUF001
"""What the readings of a case state as facts: section by section, and each item by its name.

A signed reading is told in the form's own sentences: what is present first, then what is absent,
then what was not assessed. No verdict is drawn from it. An unsigned one is said to be there.
"""

from collections.abc import Iterator, Sequence

from agent.assessment import Assessment
from agent.facts import Fact, FactState
from agent.untrusted import LONGEST, one_line
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import State
from knowledge.passages import Language
from tools.readings.statements import StatedItem, StatedReading

READING = "reading."
"""Begins the key of what a whole reading states."""
ITEM = "reading_item."
"""Begins the key of one item of a reading, then the item's id in its form."""

_HEADS = {
    "signed": ("read and signed by {}", "由{}阅片并签署"),
    "unsigned": (
        "an unsigned reading is in the case: nothing of it is used until a reader has signed it",
        "病例中有一份未签署的报告：在阅片者签署之前不采用其任何内容",
    ),
    "examined": ("examined {}", "检查时间 {}"),
    "no_time": ("time of the examination not given", "未提供检查时间"),
    "nobody": ("not looked at", "未查看"),
    "none_absent": ("nothing is stated to be absent", "未述及任何“无”的项目"),
    "none_present": ("nothing is stated to be present", "未述及任何“有”的项目"),
    "none_open": ("none of the items asked", "所问项目均已评估"),
    "stated": ("Also stated", "另述"),
    "present": ("Present", "有"),
    "absent": ("Absent", "无"),
    "open": ("Not assessed", "未评估"),
}
_STATES: dict[State, FactState] = {
    State.PRESENT: "present",
    State.ABSENT: "absent",
    State.NOT_ASSESSED: "not_assessed",
}


def reading_facts(assessment: Assessment, language: Language) -> Iterator[Fact]:
    """Yield what each reading that counts states, the latest examination first."""
    ordered = sorted(assessment.stated_readings, key=_moment, reverse=True)
    for place, one in enumerate(ordered):
        head = _head(one, assessment.time_zone, language)
        times = (one.time.show(assessment.time_zone),) if one.time is not None else ()
        if not one.signed_by:
            yield _fact(f"{place:03d}.unsigned", one, head, times, language, "not_assessed")
            continue
        colon = _colon(language)
        for part, said in _parts(one, language):
            yield _fact(f"{place:03d}.{part}", one, f"{head}{colon}{said}", times, language)
        for number, item in enumerate(one.items):
            yield Fact(
                key=f"{ITEM}{item.path}.{place:03d}.{number:03d}",
                kind="imaging",
                names=(item.label.read(language),),
                state=_STATES[item.state],
                times=times,
                whole=True,
                outside=True,
                text=f"{head}{colon}{item.text.read(language)}",
                language=language,
                evidence=one.evidence,
            )


def _fact(
    key: str,
    one: StatedReading,
    text: str,
    times: tuple[str, ...],
    language: Language,
    state: FactState = "stated",
) -> Fact:
    end = "。" if language == "zh" else "."
    return Fact(
        key=f"{READING}{key}",
        kind="imaging",
        names=(one.title.read(language),),
        state=state,
        times=times,
        whole=True,
        outside=True,
        text=text if text.endswith((".", "。")) else text + end,
        language=language,
        evidence=one.evidence,
    )


def _parts(one: StatedReading, language: Language) -> Iterator[tuple[str, str]]:
    """Yield the key and the words of what is present, absent and not assessed."""
    colon = _colon(language)
    given = [item for item in one.items if item.state is State.PRESENT]
    present = [item for item in given if item.is_sign]
    rest = [item for item in given if not item.is_sign]
    said = f"{_word('present', language)}{colon}" + (
        _sections(present, language) if present else _word("none_present", language)
    )
    if rest:
        gap = " " if language == "en" else ""
        said = f"{said.rstrip('.。')}{'.' if language == 'en' else '。'}{gap}"
        said += f"{_word('stated', language)}{colon}{_sections(rest, language)}"
    yield "0present", said
    absent = [item for item in one.items if item.state is State.ABSENT]
    told = _sections(absent, language) if absent else _word("none_absent", language)
    yield "1absent", f"{_word('absent', language)}{colon}{told}"
    still = [item for item in one.items if item.state is State.NOT_ASSESSED]
    told = _not_assessed(still, language) if still else _word("none_open", language)
    yield "2open", f"{_word('open', language)}{colon}{told}"


def _sections(items: Sequence[StatedItem], language: Language) -> str:
    """Return the sentences of items, section by section in the order of the form."""
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.section.read(language), []).append(item.text.read(language))
    gap, between = (" ", " ") if language == "en" else ("", "")
    return between.join(
        f"[{section}]{gap}{between.join(texts)}" for section, texts in found.items()
    )


def _not_assessed(items: Sequence[StatedItem], language: Language) -> str:
    """Return the reasons of what was looked at in vain, and the names of what nobody looked at."""
    looked = [item for item in items if item.looked]
    names = [item.label.read(language) for item in items if not item.looked]
    said = _sections(looked, language)
    if not names:
        return said
    comma, colon = ("; ", ": ") if language == "en" else ("、", "：")
    untouched = f"{_word('nobody', language)}{colon}{comma.join(names)}"
    return f"{said} {untouched}".strip() if language == "en" else f"{said}{untouched}"


def _head(one: StatedReading, zone: str | None, language: Language) -> str:
    title = one.title.read(language)
    when = (
        _word("examined", language).format(one.time.show(zone))
        if one.time is not None
        else _word("no_time", language)
    )
    if one.signed_by:
        how = _word("signed", language).format(one_line(one.signed_by, limit=LONGEST))
    else:
        how = _word("unsigned", language)
    brackets = f"（{when}）" if language == "zh" else f" ({when})"
    comma = "，" if language == "zh" else ", "
    return f"{title}{brackets}{comma}{how}"


def _moment(one: StatedReading) -> tuple[str, str]:
    time: ClinicalTime | None = one.time
    return (time.at.isoformat() if time is not None and time.at is not None else "", one.file)


def _colon(language: Language) -> str:
    return "：" if language == "zh" else ": "


def _word(key: str, language: Language) -> str:
    return _HEADS[key][1 if language == "zh" else 0]
