"""Every packaged reference file with the type that validates it."""

from collections.abc import Callable

from knowledge.analytes import analytes
from knowledge.biological_variation import biological_variation
from knowledge.cards import card_file
from knowledge.cds_cards import cds_cards
from knowledge.chart_items import chart_item_table
from knowledge.chat_terms import chat_terms
from knowledge.clinical_inputs import catalogue
from knowledge.critical_results import critical_results
from knowledge.ct_measurements import ct_accuracy, ct_measurements
from knowledge.ct_words import ct_words
from knowledge.data_quality import data_quality
from knowledge.delta_checks import delta_checks
from knowledge.dicom_arrivals import dicom_arrivals
from knowledge.dicom_codes import dicom_codes
from knowledge.dicom_confidentiality import dicom_confidentiality
from knowledge.ecg_accuracy import ecg_accuracy_table
from knowledge.ecg_criteria import ecg_criteria
from knowledge.errors import ReferenceDataError
from knowledge.film_measurements import film_accuracy, film_measurements
from knowledge.film_words import film_words
from knowledge.identity_words import identity_words
from knowledge.ihc_measurements import ihc_accuracy, ihc_measurements
from knowledge.imaging_measures import imaging_measures
from knowledge.imaging_orders import imaging_orders
from knowledge.imaging_terms import imaging_terms
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_patterns import laboratory_pattern, pattern_words
from knowledge.laboratory_report import report_table
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from knowledge.laboratory_words import laboratory_words
from knowledge.low_risk import block_table
from knowledge.nodule_levels import nodule_levels
from knowledge.note_terms import note_terms
from knowledge.packaged_weights import packaged_weights
from knowledge.pathways import pathway
from knowledge.qt_medicines import qt_medicines
from knowledge.reading_form import reading_form
from knowledge.reading_inputs import reading_inputs
from knowledge.reading_words import reading_words
from knowledge.reference import Table, table_names
from knowledge.reflex_tests import reflex_tests
from knowledge.result_sources import result_sources
from knowledge.retrieval.terms import search_terms
from knowledge.score_words import score_words
from knowledge.scores import score
from knowledge.scores_left_out import scores_left_out
from knowledge.serial_markers import serial_markers
from knowledge.slide_measurements import slide_accuracy, slide_measurements
from knowledge.specimen_words import specimen_words
from knowledge.transfer_syntaxes import transfer_syntaxes
from knowledge.troponin import assays, pathways
from knowledge.verifier_terms import verifier_terms
from knowledge.view_windows import view_windows
from knowledge.wearable import wearable

_ONE: dict[str, Callable[[], Table]] = {
    "analytes": analytes,
    "biological_variation": biological_variation,
    "cds_cards": cds_cards,
    "chart_items": chart_item_table,
    "chat_terms": chat_terms,
    "chest_pain_low_risk_blocks": block_table,
    "clinical_inputs": catalogue,
    "critical_results": critical_results,
    "ct_accuracy": ct_accuracy,
    "ct_measurements": ct_measurements,
    "data_quality": data_quality,
    "delta_checks": delta_checks,
    "dicom_arrivals": dicom_arrivals,
    "dicom_codes": dicom_codes,
    "dicom_confidentiality": dicom_confidentiality,
    "ecg_accuracy": ecg_accuracy_table,
    "ecg_criteria": ecg_criteria,
    "film_accuracy": film_accuracy,
    "film_measurements": film_measurements,
    "identity_words": identity_words,
    "ihc_accuracy": ihc_accuracy,
    "ihc_measurements": ihc_measurements,
    "nodule_levels": nodule_levels,
    "specimen_words": specimen_words,
    "ct_words": ct_words,
    "film_words": film_words,
    "imaging_measures": imaging_measures,
    "imaging_orders": imaging_orders,
    "imaging_terms": imaging_terms,
    "interference": interferences,
    "laboratory_indices": laboratory_indices,
    "laboratory_pattern_words": pattern_words,
    "laboratory_report": report_table,
    "laboratory_tests": laboratory_tests,
    "laboratory_vocabulary": laboratory_vocabulary,
    "laboratory_words": laboratory_words,
    "note_terms": note_terms,
    "packaged_weights": packaged_weights,
    "qt_medicines": qt_medicines,
    "reading_inputs": reading_inputs,
    "reading_words": reading_words,
    "reflex_tests": reflex_tests,
    "result_sources": result_sources,
    "score_words": score_words,
    "scores_left_out": scores_left_out,
    "search_terms": search_terms,
    "serial_markers": serial_markers,
    "slide_accuracy": slide_accuracy,
    "slide_measurements": slide_measurements,
    "transfer_syntaxes": transfer_syntaxes,
    "troponin_assays": assays,
    "troponin_pathways": pathways,
    "verifier_terms": verifier_terms,
    "view_windows": view_windows,
    "wearable": wearable,
}
_MANY: dict[str, Callable[[str], Table]] = {
    "cards": card_file,
    "laboratory_patterns": laboratory_pattern,
    "readings": reading_form,
    "scores": score,
    "pathways": pathway,
}


def load_table(name: str) -> Table:
    """Return one packaged file, every row validated.

    Raises:
        ReferenceDataError: A row is not valid, or nothing reads the file.
    """
    if name in _ONE:
        return _ONE[name]()
    folder, _, rest = name.partition("/")
    if folder in _MANY and rest:
        return _MANY[folder](rest)
    raise ReferenceDataError(f"{name}.yaml", "no type validates this file")


def load_all() -> dict[str, Table]:
    """Return every packaged file by name, validated."""
    return {name: load_table(name) for name in table_names()}
