"""The facts of an assessment, in the form a sentence can cite."""

from agent.fact_sheet.sheet import fact_sheet, with_hits

__all__ = ["fact_sheet", "with_hits"]
