"""Image files to studies: what there is, and that nobody and nothing has said what it shows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Coding, Concept
from knowledge.finding import Finding, State
from knowledge.imaging_terms import imaging_terms
from tools.imaging.model import Fact, ImageFile, ImageProblem, Study

IMAGING = "urn:epicrisis:imaging"
"""Codes of studies: the modality of DICOM, in lower case; ``picture`` and ``slide``."""

FLAG = "image-not-assessed"
_PICTURE = ("picture without a header", "没有头信息的图片")


def studies(images: Iterable[ImageFile]) -> tuple[Study, ...]:
    """Return the studies that images make up, oldest first; those without a time come first.

    Images of one StudyInstanceUID and modality are one study; where that was taken out, those of
    one frame of reference (PS3.3 C.7.4.1). A file without either is one by itself.
    """
    groups: dict[tuple[str, str], list[ImageFile]] = defaultdict(list)
    for image in images:
        together = image.study or image.frame
        key = (together, image.modality) if together else (image.file, image.id)
        groups[key].append(image)
    found = [_study(sorted(group, key=lambda i: i.file)) for group in groups.values()]
    return tuple(sorted(found, key=lambda s: (_when(s.time), s.id)))


def finding(study: Study) -> Finding:
    """Return the one thing said of a study: that what it shows is not assessed."""
    return Finding(
        concept=Concept(
            text=study.title,
            codings=(Coding(system=IMAGING, code=study.modality.lower() or "picture"),),
        ),
        state=State.NOT_ASSESSED,
        not_assessed=study.not_assessed,
        time=study.time,
        flags=(FLAG,),
        evidence=study.evidence[:1],
    )


def title_in_chinese(title: str, modality: str) -> str:
    """Return the title of a study in Chinese, where only its English one was kept.

    Args:
        title: As in `Study.title`; one that was not made here stays as it is.
        modality: Of the study, ``OT`` where it states none.

    Examples:
        >>> title_in_chinese("CT, chest", "CT")
        'CT（胸部）'
    """  # noqa: RUF002
    terms = imaging_terms()
    if title == _PICTURE[0]:
        return _PICTURE[1]
    for words in (terms.modality(modality), terms.other):
        if title == words.en:
            return words.zh
        if title.startswith(f"{words.en}, "):
            parts = title.removeprefix(f"{words.en}, ").split(", ")
            said = (terms.views.read(terms.body_parts.read(part)) for part in parts)
            return f"{words.zh}（{'，'.join(said)}）"  # noqa: RUF001
    return title


def _study(group: Sequence[ImageFile]) -> Study:
    first = group[0]
    times = sorted((i.time for i in group if i.time is not None), key=_when)
    title, title_zh = _title(first)
    digest = hashlib.sha256("\n".join(sorted(i.id for i in group)).encode()).hexdigest()
    return Study(
        id=f"study-{digest[:12]}",
        title=title,
        title_zh=title_zh,
        modality=first.modality,
        time=times[0] if times else None,
        files=tuple(i.file for i in group),
        images=sum(i.frames for i in group),
        series=len({i.series or i.frame or i.file for i in group}),
        facts=tuple(_common(group)),
        problems=tuple(_all_problems(group)),
        evidence=tuple(i.evidence for i in group),
    )


def _when(time: ClinicalTime | None) -> tuple[datetime, str]:
    """Return the sort key of a time; what has none comes first."""
    return (datetime.min.replace(tzinfo=UTC), "") if time is None else time.sort_key


def _title(image: ImageFile) -> tuple[str, str]:
    if image.role == "picture":
        return _PICTURE
    words = imaging_terms().modality(image.modality)
    place = ", ".join(part for part in (image.body_part, image.view) if part)
    if not place:
        return words.en, words.zh
    return f"{words.en}, {place}", f"{words.zh}（{_in_chinese(image)}）"  # noqa: RUF001


def _in_chinese(image: ImageFile) -> str:
    """Return body part and view in Chinese; what has no word there stays as it is stated."""
    terms = imaging_terms()
    parts = (terms.body_parts.read(image.body_part), terms.views.read(image.view))
    return "，".join(part for part in parts if part)  # noqa: RUF001


def _common(group: Sequence[ImageFile]) -> Iterator[Fact]:
    """Yield what every file says alike, in the order of the first."""
    counts = Counter(chain.from_iterable(dict.fromkeys(i.facts) for i in group))
    for fact in dict.fromkeys(group[0].facts):
        if counts[fact] == len(group):
            yield fact


def _all_problems(group: Sequence[ImageFile]) -> Iterator[ImageProblem]:
    counts = Counter(chain.from_iterable(dict.fromkeys(i.problems) for i in group))
    for problem in dict.fromkeys(chain.from_iterable(i.problems for i in group)):
        yield problem.model_copy(update={"files": counts[problem]})
