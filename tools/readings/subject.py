"""What a reading states of the patient against who was examined."""

from collections.abc import Iterator

from knowledge.finding import State
from knowledge.reading_form import ReadingForm
from knowledge.reading_words import reading_words
from knowledge.words import Words
from tools.readings.contradictions import Clash
from tools.readings.model import NOBODY, Reading
from tools.readings.sentences import with_unit

AGE, SEX = "age_years", "sex"
"""Ids of the items of a form that state them."""
MOST_YEARS_APART = 1.0
"""An age in whole years may be of the day before or after a birthday."""


def subject_clashes(form: ReadingForm, reading: Reading) -> Iterator[Clash]:
    """Yield the age and the sex that are stated of somebody else than was examined.

    Where either is not known nothing is said.
    """
    for path, stated, known in (*_age(form, reading), *_sex(form, reading)):
        words = (
            reading_words()
            .headings["not_of_subject"]
            .filled(item=form.items[path].label, stated=stated, known=known)
        )
        yield Clash(key=path, look_again=False, because=words, paths=(path,))


def _age(form: ReadingForm, reading: Reading) -> Iterator[tuple[str, Words, Words]]:
    item, known = form.items.get(AGE), reading.subject.age_years
    given = reading.items.get(AGE, NOBODY)
    if item is None or item.unit != "a" or known is None or given.number is None:
        return
    if abs(given.number - known) > MOST_YEARS_APART:
        yield AGE, _years(given.number), _years(known)


def _sex(form: ReadingForm, reading: Reading) -> Iterator[tuple[str, Words, Words]]:
    item, known = form.items.get(SEX), reading.subject.sex
    given = reading.items.get(SEX, NOBODY)
    if item is None or known not in item.answers or given.state is not State.PRESENT:
        return
    if given.choices and known not in given.choices:
        yield SEX, item.answers[given.choices[0]], item.answers[known]


def _years(number: float) -> Words:
    return Words(en=with_unit(number, "a"), zh=with_unit(number, "a", language="zh"))
