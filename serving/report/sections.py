"""Sections of a report beside the laboratory: imaging, and the patient's own devices."""

from agent.assessment import Assessment
from serving.report.imaging import imaging_section
from serving.report.section import Section
from serving.report.wearable import wearable_section
from serving.web.words import Say


def sections(assessment: Assessment, say: Say, *, chinese: bool) -> tuple[Section, ...]:
    """Return the sections that an assessment has something for.

    Args:
        assessment: What to show.
        say: From English to the language of the report.
        chinese: Whether that is Chinese.
    """
    found = (
        imaging_section(assessment, say, chinese=chinese),
        wearable_section(assessment, say, chinese=chinese),
    )
    return tuple(one for one in found if one is not None)


def english_sections(assessment: Assessment) -> tuple[Section, ...]:
    """Return the sections in English."""
    return sections(assessment, str, chinese=False)
