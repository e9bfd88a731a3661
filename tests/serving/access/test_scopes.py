"""Scopes of SMART v1 and v2, and what they allow here."""

import pytest

from serving.access.principal import Permission, Principal, Role
from serving.access.scopes import BACKEND, LAUNCHED, parse_scopes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("patient/Observation.read", "patient/Observation.rs"),
        ("patient/Observation.write", "patient/Observation.cud"),
        ("user/Observation.*", "user/Observation.cruds"),
        ("system/*.read", "system/*.rs"),
        ("patient/*.*", "patient/*.cruds"),
    ],
)
def test_version_1_means_what_the_specification_says(old: str, new: str) -> None:
    """HL7 SMART App Launch 2.2, "Scopes for requesting FHIR Resources", table of v1 scopes."""
    assert parse_scopes(old).fhir == parse_scopes(new).fhir


@pytest.mark.parametrize(
    "word",
    [
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.x",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.R",
        "patient/Observation.rs?",
        "patient/Observation.rs?category=a#b",
        "patients/Observation.rs",
        "Patient/Observation.rs",
        "patient/observation.rs",
        "patient//.rs",
        "patient/../Observation.rs",
        "patient/Observation.readwrite",
        "launch/patient",
        "openid",
        "epicrisis/case.everything",
        "epicrisis/",
    ],
)
def test_what_is_not_understood_allows_nothing(word: str) -> None:
    parsed = parse_scopes(word)
    assert parsed.fhir == ()
    assert parsed.own == frozenset()
    assert parsed.permissions(contexts=LAUNCHED) == {Permission.READ_KNOWLEDGE}


def test_reading_a_case_needs_the_patient_and_searching_observations() -> None:
    def reads(text: str) -> bool:
        return Permission.READ_CASE in parse_scopes(text).permissions(contexts=LAUNCHED)

    assert reads("patient/Patient.r patient/Observation.rs")
    assert reads("launch openid patient/*.read")
    assert reads("user/Patient.rs patient/Observation.r patient/Observation.s")
    assert not reads("patient/Patient.r patient/Observation.r")
    assert not reads("patient/Patient.s patient/Observation.rs")
    assert not reads("patient/Observation.cruds")
    assert not reads("system/*.cruds")


def test_a_narrowed_scope_does_not_open_the_whole_type() -> None:
    parsed = parse_scopes("patient/Patient.r patient/Observation.rs?category=laboratory")
    assert Permission.READ_CASE not in parsed.permissions(contexts=LAUNCHED)
    assert parsed.narrowed("Observation", "s", contexts=LAUNCHED) == (
        (("category", "laboratory"),),
    )
    assert parsed.narrowed("Patient", "r", contexts=LAUNCHED) == ()


def test_a_scope_of_a_system_is_none_of_a_person_and_the_other_way_round() -> None:
    person, system = "patient/Patient.r patient/Observation.rs", "system/*.rs"
    assert Permission.READ_CASE not in parse_scopes(person).permissions(contexts=BACKEND)
    assert Permission.READ_CASE in parse_scopes(system).permissions(contexts=BACKEND)


def test_no_action_is_not_every_action() -> None:
    assert not parse_scopes("patient/*.cruds").allows("Patient", "", contexts=LAUNCHED)


@pytest.mark.parametrize(
    ("registered", "asked", "covered"),
    [
        ("system/*.rs", "system/Observation.rs", True),
        ("system/*.rs", "system/Observation.r", True),
        ("system/Observation.rs", "system/*.rs", False),
        ("system/Observation.r", "system/Observation.rs", False),
        ("system/*.rs", "patient/Observation.rs", False),
        ("system/Observation.rs", "system/Observation.rs?category=laboratory", True),
        ("system/Observation.rs?category=laboratory", "system/Observation.rs", False),
        (
            "system/Observation.rs?category=laboratory",
            "system/Observation.rs?category=laboratory",
            True,
        ),
        ("system/*.rs", "system/*.rs epicrisis/cds.call", False),
        ("system/*.rs epicrisis/cds.call", "epicrisis/cds.call", True),
        ("system/*.rs", "system/*.rs made-up", False),
    ],
)
def test_a_client_is_given_no_more_than_it_is_registered_for(
    registered: str, asked: str, covered: bool
) -> None:
    assert parse_scopes(registered).covers(parse_scopes(asked)) is covered


def test_role_and_scope_must_both_allow() -> None:
    scopes = parse_scopes("patient/*.cruds").permissions(contexts=LAUNCHED)
    viewer = Principal(
        subject="v", name="V", roles=frozenset({Role.VIEWER}), scopes=scopes, via="smart"
    )
    assert viewer.may(Permission.READ_CASE)
    assert not viewer.may(Permission.SIGN)
    narrow = viewer.model_copy(update={"scopes": frozenset[Permission]()})
    assert not narrow.may(Permission.READ_CASE)


def test_reach_over_patients() -> None:
    def of(**reach: object) -> Principal:
        return Principal.model_validate(
            {"subject": "s", "name": "S", "roles": ["clinician"], "via": "service", **reach}
        )

    here, there = "https://a.example/fhir|Patient/1", "https://b.example/fhir|Patient/1"
    assert [of().sees(one) for one in (here, there, None)] == [True, True, True]
    assert [of(patient=here).sees(one) for one in (here, there, None)] == [True, False, False]
    tenant = of(tenants=["https://a.example/fhir"])
    assert [tenant.sees(one) for one in (here, there, None)] == [True, False, False]
    assert [of(tenants=[]).sees(one) for one in (here, None)] == [False, False]
    near = "https://a.example/fhir2|Patient/1"
    assert not tenant.sees(near)
