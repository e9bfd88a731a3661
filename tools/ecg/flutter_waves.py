"""What flutter waves may do to the other statements: ST and T carry a caution, a delta wave goes.

With every second wave conducted the waves stand in ST and T and run into the QRS: they look like ST
deviation, T inversion and a slow beginning of the QRS.
"""

from collections.abc import Mapping

from knowledge.finding import Why
from tools.ecg.arrhythmia.flutter import WAVES
from tools.ecg.verdict import Verdict, unknown

JUDGED_ON_ST = (
    "stemi_criteria",
    "omi_equivalent",
    "multivessel_ischaemia_pattern",
    "st_deviation",
    "ecg_new_ischaemia",
    "st-depression",
    "t-inversion",
)
_ON_THE_QRS = "pre-excitation"


def in_flutter(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Return the statements that flutter waves may cause: flagged, or no longer made.

    ST and T statements stay, flagged: a true infarction in flutter must not be lost.
    """
    flutter = verdicts["atrial-flutter"]
    if WAVES not in flutter.flags:
        return {}
    found = {
        code: verdicts[code].flagged(WAVES) for code in JUDGED_ON_ST if verdicts[code].holds is True
    }
    slow = verdicts[_ON_THE_QRS]
    if slow.holds is True:
        detail = f"{slow.basis}; flutter waves may run into the QRS"
        found[_ON_THE_QRS] = unknown(Why.CONFLICTING, detail, rows=slow.rows)
    return found
