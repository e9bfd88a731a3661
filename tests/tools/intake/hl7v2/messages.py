"""Small invented HL7 v2 messages for tests: no real patient is in them."""

PID = "PID|1||0012^^^LAB&1.2.3&ISO^MR||Muster^Clara||19550721|F"
TROPONIN = "67151-1^Troponin T.cardiac [Mass/volume] in Serum or Plasma by High sensitivity^LN"


def msh(
    kind: str = "ORU^R01^ORU_R01",
    control: str = "M1",
    *,
    at: str = "20261120090000+0000",
    version: str = "2.5.1",
    charset: str = "",
    processing: str = "P",
) -> str:
    return (
        f"MSH|^~\\&|LIS|HOSP|EPI|HOSP|{at}||{kind}|{control}|{processing}|{version}||||||{charset}"
    )


def obr(
    filler: str = "F1", *, taken: str = "20261120080000+0000", status: str = "F", placer: str = ""
) -> str:
    return f"OBR|1|{placer}|{filler}|67151-1^hs-cTnT^LN|||{taken}" + "|" * 15 + f"|||{status}"


def obx(
    value: str = "12",
    *,
    number: int = 1,
    kind: str = "NM",
    code: str = TROPONIN,
    sub: str = "",
    unit: str = "ng/L^^UCUM",
    flag: str = "",
    status: str = "F",
    taken: str = "",
    printed: str = "<14",
) -> str:
    return f"OBX|{number}|{kind}|{code}|{sub}|{value}|{unit}|{printed}|{flag}|||{status}|||{taken}"


def message(*segments: str) -> bytes:
    """The bytes of a message whose segments end as the standard says."""
    return ("\r".join(segments) + "\r").encode()


def oru(*results: str, control: str = "M1", at: str = "20261120090000+0000") -> bytes:
    """A result message of one order; an OBR may be among the results."""
    own = results if any(r.startswith("OBR") for r in results) else (obr(), *results)
    return message(msh(control=control, at=at), PID, *own)
