"""The laboratory's part of an assessment, as a person reads it: one view for every form of report.

The words are those of the page's language; what a table holds only in English is marked as such.
"""

from agent.laboratory.view.model import MARK, LaboratoryView, Line, Panel, Part, Row
from agent.laboratory.view.whole import laboratory_view, result_rows

__all__ = [
    "MARK",
    "LaboratoryView",
    "Line",
    "Panel",
    "Part",
    "Row",
    "laboratory_view",
    "result_rows",
]
