"""The counts in the accuracy file are those of the benchmark on the CPSC 2018 records."""

import importlib.util
import sys
from dataclasses import asdict

from knowledge.ecg_accuracy import ecg_accuracy_table
from tests.data_folder import ROOT, shared_data


def test_the_published_counts_of_cpsc_are_measured_again() -> None:
    folder = shared_data("ecg-cpsc2018")
    spec = importlib.util.spec_from_file_location(
        "ecg_statements", ROOT / "bench" / "ecg_statements.py"
    )
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = bench
    spec.loader.exec_module(bench)
    codes = frozenset(bench.CPSC.values())
    table = bench.confusion(bench.cpsc(folder.parent), codes)
    rows = {
        row.statement: row
        for row in ecg_accuracy_table().statements
        if row.dataset == "cpsc2018" and row.statement in codes
    }
    assert set(rows) == codes
    for code, counts in table.items():
        row, found = rows[code], asdict(counts)
        assert (row.tp, row.fp, row.fn, row.tn) == tuple(found[k] for k in ("tp", "fp", "fn", "tn"))
        assert row.not_assessed_labelled == counts.open_labelled
        assert row.not_assessed_others == counts.open_others
