"""The checker's own words: what a sentence can be about, in English and Chinese.

Small on purpose, and written without looking at the verifier's tables: two checkers with the same
list of words would share its gaps.
"""

import re
from collections.abc import Mapping

ANALYTES: Mapping[str, str] = {
    "troponin": r"troponins?(?: [TI])?\b|hs-?cTn[TI]|肌钙蛋白[TI]?",
    "creatinine": r"creatinine|肌酐",
    "potassium": r"potassium|血钾|钾",
    "glucose": r"glucose|血糖|葡萄糖",
    "haemoglobin": r"ha?emoglobin|血红蛋白",
    "d_dimer": r"D-?dimer|D-?二聚体",
    "heart_rate": r"heart rate|pulse(?! deficit)|心率",
    "respiratory_rate": r"respiratory rate|breathing rate|呼吸频率",
    "spo2": r"oxygen saturation|SpO2|SaO2|血氧饱和度",
    "temperature": r"temperature|体温",
    "systolic": r"systolic(?: blood pressure)?|收缩压",
    "diastolic": r"diastolic(?: blood pressure)?|舒张压",
    "pr": r"PR interval|PR间期",
    "qrs": r"QRS(?: duration)?|QRS时限",
    "qtc": r"QTc\w*",
    "qt": r"QT interval|QT间期",
    "age": r"\bage[ds]?\b|年龄",
}
"""Measured things: key to how it is named in a sentence."""

FOUND_AS: Mapping[str, str] = {
    "troponin": r"troponin [TI]\.cardiac|hs-cTn|cardiac troponin",
    "creatinine": r"^creatinine",
    "potassium": r"^potassium",
    "glucose": r"^glucose",
    "haemoglobin": r"^ha?emoglobin",
    "d_dimer": r"d-dimer",
    "heart_rate": r"^heart rate",
    "respiratory_rate": r"^respiratory rate",
    "spo2": r"^oxygen saturation",
    "temperature": r"^body temperature",
    "systolic": r"^systolic blood",
    "diastolic": r"^diastolic blood",
    "pr": r"^pr interval",
    "qrs": r"^qrs duration",
    "qtc": r"^qtc interval",
    "qt": r"^qt interval",
    "age": r"^age$",
}
"""The same keys: how the text of a finding begins in the assessment."""

ECG: Mapping[str, tuple[str, str]] = {
    "stemi": (
        r"ST[- ]elevation criteria(?: of (?:myocardial )?infarction)?|ST段抬高标准"
        r"|criteria (?:for|of) (?:ST[- ]elevation|reperfusion)",
        r"^st-elevation criteria",
    ),
    "st_elevation": (r"ST[- ]segment elevation|ST[- ]elevation|ST段抬高", r"^st elevation, "),
    "st_depression": (
        r"ST[- ](?:segment )?depression|ST段压低",
        r"^st depression(?:$|, horizontal)",
    ),
    "t_inversion": (
        r"T[- ]?(?:wave )?inversions?|inverted T(?: waves)?|T波倒置",
        r"^t-wave inversion",
    ),
    "q": (r"pathological Q(?: waves)?|病理性Q波", r"^pathological q"),
    "sinus": (r"sinus rhythm|窦性心律", r"^sinus rhythm"),
    "af": (r"atrial fibrillation|心房颤动|房颤", r"^atrial fibrillation"),
    "lbbb": (r"left bundle[- ]branch block|\bLBBB\b|左束支传导阻滞", r"^left bundle branch block"),
    "rbbb": (
        r"(?<!incomplete )right bundle[- ]branch block|(?<!incomplete )\bRBBB\b|右束支传导阻滞",
        r"^right bundle branch block",
    ),
    "paced": (r"paced rhythm|pacemaker rhythm|起搏心律", r"^ventricular paced rhythm"),
    "lvh": (r"left ventricular hypertrophy|左心室肥厚", r"^left ventricular hypertrophy"),
    "ectopy": (r"ectopic beats|extrasystoles|早搏", r"^ectopic beats"),
    "bradycardia": (r"bradycardia|心动过缓", r"^slow heart rate"),
    "tachycardia": (r"(?<!complex )tachycardia|心动过速", r"^fast heart rate"),
}
"""ECG findings: how a sentence names one, and how its finding begins."""

FACTS: Mapping[str, tuple[str, str]] = {
    "diaphoresis": (r"diaphoresis|diaphoretic|sweating|sweaty|出汗|大汗", r"^diaphoresis"),
    "arm": (
        r"(?:radiat\w+|spread\w*) to (?:the |an |her |his )?(?:\w+ )?(?:arm|shoulder)|向手臂放射",
        r"^pain radiates to arm",
    ),
    "pleuritic": (r"pleuritic|pain with inspiration", r"^pain with inspiration"),
    "palpation": (
        r"reproduc\w+ (?:by|on|with) palpation|tender\w* to palpation",
        r"^pain reproduced by palpation",
    ),
    "tearing": (
        r"(?:tearing|ripping)(?: or (?:tearing|ripping))?(?: pain)?|撕裂样",
        r"tearing pain",
    ),
    "haemoptysis": (r"ha?emoptysis|coughing (?:up )?blood|咯血", r"^haemoptysis"),
    "hypertension": (r"(?<!pulmonary )hypertension|hypertensive|高血压", r"^hypertension$"),
    "cholesterol": (
        r"hypercholesterola?emia|high cholesterol|高胆固醇血症",
        r"^hypercholesterolaemia",
    ),
    "diabetes": (r"diabet(?:es|ic)(?: mellitus)?|糖尿病", r"^diabetes"),
    "smoking": (r"smok(?:er|es|ing)|吸烟", r"^current or recent smoking"),
    "obesity": (r"obes(?:e|ity)|肥胖", r"^obesity"),
    "cad": (
        r"(?:known )?coronary (?:artery|heart) disease|冠心病",
        r"^known coronary artery disease",
    ),
    "stroke": (r"\bstroke\b|\bTIA\b|卒中", r"^prior stroke"),
    "arrest": (r"cardiac arrest|心脏骤停", r"^cardiac arrest"),
    "heart_failure": (r"heart failure|心力衰竭", r"^acute heart failure"),
    "malignancy": (r"malignan(?:cy|t)|cancer|恶性肿瘤", r"^active malignancy"),
    "dvt": (r"deep[- ]vein thrombosis|\bDVT\b", r"deep-vein thrombosis"),
    "pulse_deficit": (r"pulse deficit|脉搏短绌", r"^pulse deficit"),
    "emphysema": (r"subcutaneous emphysema|皮下气肿", r"^subcutaneous emphysema"),
    "vomiting": (r"vomit(?:ed|ing)|呕吐", r"^vomiting"),
}
"""Yes/no facts of the history and the examination."""

SCORES: Mapping[str, str] = {
    "HEART Pathway": r"HEART Pathway",
    "HEART score": r"HEART(?: score|评分)?(?! Pathway)",
    "EDACS-ADP": r"EDACS-ADP",
    "EDACS": r"EDACS(?:评分)?(?!-ADP)",
    "GRACE in-hospital score": r"GRACE(?: in-hospital)?(?: score)?|GRACE院内评分",
    "ADD-RS with D-dimer": r"ADD-RS with D-dimer",
    "ADD-RS": r"ADD-RS(?:评分)?(?: score)?(?! with D-dimer)",
    "Wells with age-adjusted D-dimer": r"Wells with age-adjusted D-dimer",
    "Wells score (pulmonary embolism)": (
        r"Wells(?: score)?(?: \(pulmonary embolism\)| for pulmonary embolism)?"
        r"(?! with age)|Wells评分(?:\(肺栓塞\))?"
    ),
    "PERC": r"\bPERC\b(?: rule)?",
    "YEARS": r"\bYEARS\b",
    "ESC 0/1 h": r"ESC 0/1[ -]?(?:h(?:our)?|小时)",
    "ESC 0/2 h": r"ESC 0/2[ -]?(?:h(?:our)?|小时)",
    "ESC 0/3 h": r"ESC 0/3[ -]?(?:h(?:our)?|小时)",
    "High-STEACS": r"High-STEACS",
    "ESC observe zone (0/3 h)": r"ESC observe zone(?: \(0/3 h\))?",
}
"""Scores and rules by the name of their risk."""

TROPONIN_RULES = frozenset(name for name in SCORES if name.startswith(("ESC", "High")))

CATEGORIES: Mapping[str, str] = {
    "rule-in": r"(?<!not )rules?[- ]in\b|ruled[- ]in\b|纳入",
    "rule-out": r"(?<!not )rules?[- ]out\b|ruled[- ]out\b|(?<!不能)排除",
    "need second sample": r"second sample is needed|not decided|需要第二个样本|尚未判定",
    "observe": r"\bobserve\b|observation zone|观察区",
    "not determined": r"not determined|undetermined|not settled|未确定",
    "not assessed": r"not assessed|not judged|未评估|未判定",
    "not-low": r"not[- ]low",
    "low": r"(?<!not-)(?<!not )\blow\b|低危",
    "intermediate": r"\bintermediate\b|中危",
    "moderate": r"\bmoderate\b|中危",
    "high": r"\bhigh\b(?![- ]sensitiv)|高危",
    "unlikely": r"\bunlikely\b|不太可能|可能性小",
    "likely": r"(?<!un)\blikely\b",
    "imaging": r"\bimaging\b",
}
"""Categories of risks."""

DIAGNOSES: Mapping[str, str] = {
    "acs": r"acute coronary syndromes?|\bACS\b|急性冠脉综合征",
    "infarction": r"(?:myocardial )?infarct\w*|\b(?:N?STE)?MI\b|heart attack|心肌梗死|心梗",
    "aortic_dissection": r"acute aortic syndrome(?: \(dissection\))?|(?:aortic )?dissect(?:ion"
    r"|ed|ing)\b"
    r"|主动脉综合征(?:\(夹层\))?|主动脉夹层",
    "pulmonary_embolism": r"pulmonary embol(?:ism|us)|肺栓塞",
    "tension_pneumothorax": r"(?:tension )?pneumothorax|张力性气胸|气胸",
    "tamponade": r"(?:cardiac )?tamponade|心脏压塞",
    "oesophageal_rupture": r"o?esophageal rupture|boerhaave|食管破裂",
    "other": r"pneumonia|肺炎|pericarditis|心包炎|myocarditis|心肌炎|takotsubo|sepsis|脓毒症"
    r"|an?xiety|panic attack|焦虑|reflux|gastritis|胃食管反流|musculoskeletal|costochondritis"
    r"|肌肉骨骼|angina|心绞痛|cholecystitis|pancreatitis|aneurysm|cardiomyopathy|心肌病",
}
"""Diagnoses: those of the differential by their id; `other` is none of them."""

REASSURANCE = re.compile(
    r"discharged?\b|low[- ]risk|reassuring|benign|unremarkable|safe to|no further (?:test|work"
    r"|investig|care|treat|action|follow|step)\w*|harmless"
    r"|nothing serious|\bnormal\b|出院|低风险|无需|正常",
    re.IGNORECASE,
)
"""Words of comfort or advice that must stand in the assessment to be said."""

NEGATIONS = re.compile(
    r"\bno\b|\bnot\b|\bwithout\b|\black(?:s|ed|ing)?\b|\bfree of\b|\babsent\b|\bdenie[sd]\b"
    r"|\bnegative for\b|\bnor\b|\bnever\b"
    r"|未|无|没有|不|否认",
    re.IGNORECASE,
)
SCOPE_ENDS = re.compile(
    r"[;。]|\.(?:\s|$)|\bbut\b|\bhowever\b|\bwhile\b|\bwith\b(?! no)|,\s*and\b"
    r"|\band (?:a |the |an )?(?=sinus|heart)|\bshows?\b|:(?=存在)|[,、]\s*(?:可见)?有",
    re.IGNORECASE,
)
OPEN = re.compile(
    r"not (?:been |yet )*(?:assessed|assessable|known|determined|decided|settled|recorded"
    r"|in the record)"
    r"|unknown|cannot be|未评估|不详|未确定|未知|neither",
    re.IGNORECASE,
)
SUPPORTS = re.compile(
    r"\bsupport(?:s|ed|ing)?\b|支持|consistent with|suggest\w*|indicat\w+"
    r"|diagnos\w+|confirm\w*|\bprobable\b|due to|\bhas\b(?! not| been)|\bsuffers?\b"
    r"|提示|符合|诊断为|\blikely\b|\bcaused by\b|points? to",
    re.IGNORECASE,
)
OPPOSES = re.compile(
    r"argued? against|argues against|ruled out|rules out|excluded?|\bno evidence of\b|\bunlikely\b"
    r"|不支持|排除|\bno\b|\bwithout\b|not supported",
    re.IGNORECASE,
)
LEAD = re.compile(r"(?<![\w.])(?:aV[RLF]|V[1-9]R?|I{1,3})(?!\w|\.\d)")
SEX = {
    "female": re.compile(r"\bwom[ae]n\b|\bfemale\b|女性|\bshe\b|\bher\b", re.IGNORECASE),
    "male": re.compile(r"\bm[ae]n\b|\bmale\b|男性|\bhe\b|\bhis\b", re.IGNORECASE),
}

UNITS: Mapping[str, str] = {
    "ng/l": "ng/L",
    "pg/ml": "ng/L",
    "ng/ml": "ng/mL",
    "ug/l": "ug/L",
    "µg/l": "ug/L",
    "mg/l": "mg/L",
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "mmol/l": "mmol/L",
    "mmhg": "mmHg",
    "mm[hg]": "mmHg",
    "/min": "/min",
    "bpm": "/min",
    "beats per minute": "/min",
    "per minute": "/min",
    "次/分": "/min",
    "次/分钟": "/min",
    "ms": "ms",
    "mv": "mV",
    "mm": "mm",
    "%": "%",
    "percent": "%",
    "cel": "Cel",
    "°c": "Cel",
    "years": "a",
    "year": "a",
    "year-old": "a",
    "岁": "a",
    "a": "a",
    "points": "points",
    "point": "points",
    "分": "points",
    "kpa": "kPa",
    "hz": "Hz",
    "/s": "/s",
    "cm": "cm",
    "s": "s",
    "‰": "‰",
    "deg": "deg",
    "": "",
}
"""Units as written, in lower case, to one spelling."""

UNIT = (
    r"ng/[mM]?[lL]|pg/m[lL]|[uµ]g/[lL]|mg/d?[lL]|g/d[lL]|[uµm]mol/[lL]|mm\s?Hg|mm\[Hg\]|/min|/s"
    r"|bpm|beats per minute|per minute|次/分钟?|次/秒"
    r"|years?[- ]old|years?|months?(?:[- ]old)?|个月|岁|points?|kPa|Hz|°C|Cel"
    r"|percent|%|‰|ms|mV|cm|mm|deg|分(?!钟)|s(?![a-zA-Z])"
)
