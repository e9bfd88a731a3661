"""Every setting, with its unit and why this default.

Order: argument, environment (``EPICRISIS_...``), the file that ``EPICRISIS_SETTINGS_FILE`` names,
default. Nothing else reads the environment. A settings file is never picked up from the working
directory: that may be a folder of somebody's export.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.clinical_time import load_zone
from knowledge.errors import InvalidValueError

RoleName = Literal["viewer", "clinician", "reviewer", "integrator", "admin"]

_PREFIX = "EPICRISIS_"
_FILE = "EPICRISIS_SETTINGS_FILE"


class Settings(BaseSettings):
    """The frozen settings of one process."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    device_functions: bool = True
    """Signal and image analysis. On in research mode; off gives "not assessed: switched off"."""

    time_zone: str | None = None
    """IANA zone of the site, for naive DICOM, HL7 and WFDB times; none is guessed."""

    max_file_mib: PositiveInt = 64
    """Largest file read, MiB. A transaction bundle of a long chart is below 20."""

    max_case_mib: PositiveInt = 512
    """All files of one case together, MiB: fits a laptop's memory several times over."""

    max_files: PositiveInt = 2000
    """Files in one case; a folder with more is not one patient's visit."""

    max_expansion: PositiveInt = 200
    """Largest ratio of decompressed to compressed size, against compression bombs."""

    data_dir: Path = Field(default=Path("~/.local/share/epicrisis"), validate_default=True)
    """What this installation keeps: ingested documents, built indexes, weights, checkpoints. The
    user's own data folder, since none of it belongs to a case; ``~`` is the home folder."""

    model_seconds: PositiveFloat = 300
    """Longest time for one answer of a plugged model, s; a CT piece by piece is one answer each."""

    model_memory_mib: PositiveInt = 8192
    """Memory a plugged model may take beyond its runtime, MiB: large networks take as much."""

    imaging_seconds: PositiveFloat = 300
    """Longest time for measuring one CT or slide of a case, s: several times what a chest CT takes
    on two busy cores. Later than this it is "not assessed", with that reason."""

    imaging_memory_mib: PositiveInt = 4096
    """Memory measuring one CT or slide may take beyond its libraries, MiB; a CT takes a few times
    its own size. More is "not assessed", with that reason."""

    ray_address: str | None = None
    """Address of a Ray cluster (``ray://host:10001``, ``auto``) on which the tiles of slides are
    worked through; every machine of it sees slides and `data_dir` under the same path. None for
    this machine alone. Needs the package ray."""

    test_data: Path | None = None
    """Folder of outside records that tests and evaluations read and the product does not carry;
    None looks beside the checkout (``../shared/data``). Needed by evaluations alone."""

    max_document_pages: PositiveInt = 2000
    """Pages of one guideline document. The longest society guidelines are below 200."""

    max_document_mib: PositiveInt = 16
    """Text of one guideline document once extracted, MiB: some two million words."""

    embedding_url: str | None = None
    """Base address of an OpenAI-compatible embeddings endpoint (``.../v1``); None for the encoder
    on this machine. Every question searched and every passage indexed is sent there."""

    embedding_model: str = "default"
    """Name of the model at that endpoint; part of the identity of the index."""

    embedding_languages: tuple[Literal["en", "zh"], ...] = ("en", "zh")
    """Languages that model reads. Others are turned into English by the table of search terms."""

    embedding_api_key: SecretStr | None = None
    """Bearer token of that endpoint."""

    embedding_timeout_s: PositiveFloat = 30
    """Seconds for one request to the embeddings or rerank endpoint: a batch on a busy CPU."""

    rerank_url: str | None = None
    """Base address of a ``/rerank`` endpoint; None for the order of the rank fusion."""

    rerank_model: str = "default"
    """Name of the model at that endpoint."""

    rerank_api_key: SecretStr | None = None
    """Bearer token of that endpoint."""

    llm: Literal["auto", "none"] = "auto"
    """Which language model: the endpoint of `llm_url` if set, else the local one if its weights are
    here; ``none`` gives the deterministic assessment alone."""

    llm_url: str | None = None
    """Base address of an OpenAI-compatible endpoint (``.../v1``); None for the local model. Case
    summaries and notes are sent there."""

    llm_model: str | None = None
    """Name of the model at that endpoint; None for the only one it has."""

    llm_api_key: SecretStr | None = None
    """Bearer token of that endpoint."""

    llm_pool: Path | None = None
    """YAML file of several model servers (docs/llm_pool.md), in place of `llm_url`: their order,
    tenants, limits and what may answer. None for one endpoint, or the local model."""

    llm_timeout_s: PositiveFloat = 120
    """Seconds for one call. The local model needs 20 to 60 of them for a plan on two free cores;
    later than this the pathway's answer is shown without it."""

    llm_gguf: Path | None = None
    """A file of weights for the local model, in place of the packaged ones."""

    llm_threads: PositiveInt | None = None
    """Threads of the local model; None for the cores this process may use, at most 8."""

    llm_context_tokens: PositiveInt = 8192
    """Most tokens of prompt and reply of the local model; less where memory is short. This many
    take 235 MB beside the weights."""

    router_dir: Path | None = None
    """Folder with the weights of the router (``--planner router-moe``); None for
    ``weights/router-moe`` in `data_dir`, where ``epicrisis llm train-router`` puts them."""

    router_url: str | None = None
    """Base address of an OpenAI-compatible endpoint (``.../v1``) that serves the router alone, in
    place of its weights here; its bearer token is `llm_api_key`."""

    checkpoints: str | None = None
    """Where agent runs are kept: a file, a ``postgresql://`` URL or ``memory``; None for a file in
    `data_dir`."""

    database_url: SecretStr | None = None
    """Where the service keeps everything: ``sqlite:///file`` or ``postgresql://...``; None for a
    SQLite file in `data_dir`. It may carry a password, so it is never shown."""

    host: str = "127.0.0.1"
    """Address the service listens on; only this machine unless a proxy is put before it."""

    port: PositiveInt = 8080
    """Port the service listens on."""

    public_url: str | None = None
    """Address under which others reach the service (``https://epicrisis.example.org``); tokens
    must name it. Never taken from a request's Host header. None for host and port."""

    laboratory_overrides: Path | None = None
    """YAML file of the site's own reference intervals and critical limits, in the format of
    ``laboratory_tests.yaml``; its rows come before the packaged ones. None for the packaged alone:
    no other laboratory's file can be right here."""

    retention_days: PositiveInt | None = None
    """Days after which ``epicrisis storage retention`` deletes a case; None keeps all. Law and the
    hospital decide, so there is no default; the audit is never deleted."""

    runs_at_once: PositiveInt = 2
    """Agent runs at one time in one process; more wait. One local model answers one at a time, and
    a second run does its tools meanwhile."""

    run_wall_s: PositiveFloat = 1800
    """Seconds of wall time after which an agent run has failed: several times what it takes with
    the local model on two cores."""

    run_llm_s: PositiveFloat = 300
    """Seconds of all calls to the model in one run; afterwards the words are the templates'."""

    run_llm_tokens: PositiveInt = 40_000
    """Tokens of prompts and replies in one run: some three times what a long case takes."""

    local_user: bool | None = None
    """Whether somebody on this machine may use the service without a login, as one local user. Only
    where it listens on loopback and no `oidc_issuer` is set; it never reaches beyond this machine,
    but everybody with an account on this machine is that user. None: as long as nothing else is set
    up, that is no `clients_file`, `smart_issuers` or `fhir_backends`, whose patients that user
    would see without a token; true: also beside those."""

    local_roles: tuple[RoleName, ...] = ("clinician",)
    """Roles of the local user; add ``reviewer`` or ``admin`` to try what they see."""

    oidc_issuer: str | None = None
    """Issuer of the login (``https://login.example.org/realms/ward``); None for no login by it."""

    oidc_client_id: str = "epicrisis"
    """Name of this service at that issuer."""

    oidc_client_secret: SecretStr | None = None
    """Its secret there; None for a public client, which PKCE protects."""

    oidc_scope: str = "openid profile"
    """Scopes asked of it; some need a further one before they send the claim with the roles."""

    oidc_roles_claim: str = "roles"
    """Claim of the ID token with a person's groups; dots go deeper (``realm_access.roles``)."""

    oidc_role_map: dict[str, RoleName] = Field(default_factory=dict)
    """Value of that claim to role, as JSON: ``{"cardiology-md": "clinician"}``. Empty lets nobody
    in: a group called ``admin`` elsewhere is not one here."""

    session_idle_minutes: PositiveInt = 30
    """Minutes without a request after which a login ends: a shared workstation on a ward."""

    session_hours: PositiveInt = 12
    """Hours after which a login ends in any case: a shift."""

    smart_issuers: dict[str, str] = Field(default_factory=dict)
    """EHRs that may launch this service: FHIR base address to the client id there, as JSON. Every
    other ``iss`` is refused."""

    smart_scopes: str = (
        "openid fhirUser profile patient/Patient.r patient/Observation.rs patient/Condition.rs "
        "patient/Encounter.rs patient/MedicationRequest.rs patient/MedicationAdministration.rs "
        "patient/MedicationStatement.rs patient/AllergyIntolerance.rs patient/Procedure.rs "
        "patient/DiagnosticReport.rs patient/DocumentReference.rs patient/ImagingStudy.rs"
    )
    """Scopes asked of an EHR beside the launch itself: to read what the pathway reads, no write;
    add ``patient/DiagnosticReport.c`` and the like where results are written back."""

    smart_client_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """FHIR base address to the client secret there, as JSON; none for a public client with PKCE."""

    frame_ancestors: tuple[str, ...] = ()
    """Origins of EHRs that may show the sidebar in a frame, as JSON; its cookies are then sent in
    frames, each kept apart per EHR. None by default: a page in a frame can be clicked unseen."""

    outbound_hosts: tuple[str, ...] = ()
    """Hosts (``name`` or ``name:port``) that may be called at addresses from outside (`fhirServer`,
    `jku`), as JSON, at public network addresses only. Issuers set above need no entry."""

    outbound_private_hosts: tuple[str, ...] = ()
    """Likewise, and at private or loopback network addresses too; plain http on loopback alone."""

    outbound_ca_file: Path | None = None
    """Certificates (PEM) that servers are checked against; None for those that httpx trusts."""

    outbound_timeout_s: PositiveFloat = 10
    """Seconds for one whole call to another server; a person waits for most of them."""

    outbound_max_mib: PositiveInt = 32
    """Largest answer of another server, MiB. A page of a FHIR search is below 5."""

    clients_file: Path | None = None
    """YAML file of the systems that may ask for service tokens; None for none."""

    service_token_s: PositiveInt = 300
    """Seconds a service token is valid: as the SMART backend services advise, at most 5 minutes."""

    fhir_backends: dict[str, str] = Field(default_factory=dict)
    """FHIR servers patients may be pulled from without a person's login: base address to the client
    id there (SMART backend services), as JSON. Its hosts, and that of its token endpoint, must be
    among `outbound_hosts` or `outbound_private_hosts`."""

    fhir_backend_key: Path | None = None
    """Private key (JWK or PEM; EC P-384 or RSA) that signs this service's assertions there; its
    public half is at ``/v1/fhir/jwks.json``. None for no such pulls."""

    fhir_pull_pages: PositiveInt = 50
    """Pages of 100 read of one resource type: 5,000 results is more than a visit; what is beyond is
    said to be unread."""

    fhir_pull_s: PositiveFloat = 60
    """Seconds for the pull of one patient; what is not read by then is said to be unread."""

    fhir_write_back: tuple[str, ...] = ()
    """Base addresses of FHIR servers that signed reports are written to, as JSON, with the token of
    the person who asks. None by default: an EHR's record is changed only where that was agreed."""

    fhir_write_drafts: bool = False
    """Whether reports that are not signed are written there too, as ``preliminary``."""

    requests_per_minute: PositiveInt = 600
    """Requests of one person: ten a second, several times what pages and their polling make."""

    system_requests_per_minute: PositiveInt = 6000
    """Requests of one system; an EHR calls a hook for every chart that anybody opens."""

    failures_per_minute: PositiveInt = 60
    """Refused or anonymous attempts from one address: a mistyped setup, not a search for tokens."""

    max_body_mib: PositiveInt = 16
    """Largest body of a request that is not an upload, MiB: a prefetch of a chart is below 5."""

    body_timeout_s: PositiveFloat = 30
    """Seconds without a byte after which a request that is still being sent is given up."""

    log_format: Literal["text", "json"] = "text"
    """Form of the log lines on standard error; ``json`` for a log collector. Neither carries
    patient data."""

    trace_url: str | None = None
    """Address of an OpenTelemetry collector (OTLP over HTTP, ``.../v1/traces``); None for no
    traces. Spans carry ids and durations alone. Needs opentelemetry-exporter-otlp-proto-http."""

    cds_origins: tuple[str, ...] = ()
    """Origins of browser-based CDS Hooks clients (``https://ehr.example.org``), as JSON; none by
    default: an EHR's server calls without one."""

    cds_budget_ms: PositiveInt = 400
    """Milliseconds a hook waits for an assessment before its card says "still computing". CDS Hooks
    asks for answers within about 500."""

    cds_fetch_ms: PositiveInt = 1500
    """Milliseconds for everything a hook fetches from the EHR's FHIR server where the EHR sent no
    prefetch; what has not come then is said to be unread. Such a call is slower than the 500 CDS
    Hooks asks for whatever we do: this is as long as a clinician waits for a chart to open."""

    cds_at_once: PositiveInt = 16
    """Hook calls answered at once. One beyond that waits for `cds_budget_ms` and is then refused:
    an EHR that waits longer has given up, and only makes the others later."""

    cds_workers: PositiveInt = 1
    """Assessments of hooks computed at once. They share one interpreter: more make each slower."""

    cds_fresh_s: PositiveInt = 60
    """Seconds an assessment of unchanged data is shown again without computing it anew: time alone
    changes it by the minute."""

    cds_repeat_minutes: PositiveInt = 60
    """Minutes before the same content is shown to the same user of an encounter again."""

    cds_repeat_critical_minutes: PositiveInt = 2
    """Likewise for a critical card nobody has answered: long enough for two hooks that fire at
    once, short enough that it is there when the chart is opened again."""

    cds_silence_hours: PositiveInt = 8
    """Hours of silence after an override, for the same content or one of no higher level: a shift.
    A new critical finding is never silenced."""

    least_free_mib: PositiveInt = 200
    """Free space on the disk of the data folder below which the service says that it is not ready,
    MiB: three of the largest files."""

    view_s: PositiveFloat = 20
    """Seconds after which a picture of an image is given up: a compressed mammogram takes some 5 on
    a busy core."""

    view_cache_mib: PositiveInt = 256
    """Memory for decoded images and their files, MiB: a chest CT of 300 slices, so that scrolling
    back and windowing need not decode again."""

    reading_lock_minutes: PositiveInt = 30
    """Minutes without a save after which somebody else may take over a study that is being read: a
    long CT is read in less, and a forgotten screen must not hold one for a shift."""

    audit_anchor: Path | None = None
    """File outside of the database that knows the newest audited event, so that a cut-off tail
    shows; None for ``audit.anchor`` in `data_dir`. It proves more on a disk that who administers
    the database cannot write."""

    audit_key: SecretStr | None = None
    """Key that signs the audit's anchor; None for unsigned. Give at least 32 random characters, and
    keep it where who administers database and disk cannot read it."""

    show_identity: bool = True
    """Whether pages show the patient's name, number, birth date and sex. On: a result that cannot
    be matched to a patient invites the mix-up. Off for screens that others can see; reports, which
    are handed on, always carry them."""

    worklist_check_s: PositiveFloat = 30
    """Seconds between two looks for critical results that nobody acknowledged. The first level of
    escalation comes after minutes, so half a minute late is not late."""

    hl7_host: str = "127.0.0.1"
    """Address the MLLP listener takes HL7 v2 messages on. Another than this machine's own needs
    TLS, or `hl7_allow_plain`."""

    hl7_port: int = Field(default=2575, ge=0, le=65535)
    """Its port: the one registered for HL7 (IANA). 0 takes a free one."""

    hl7_tls_cert: Path | None = None
    """PEM file with the listener's certificate and its chain; None for no TLS."""

    hl7_tls_key: Path | None = None
    """PEM file with its key, without a passphrase."""

    hl7_client_ca: Path | None = None
    """PEM file of the authority whose certificates senders must show; None lets any sender in that
    can connect."""

    hl7_allow_plain: bool = False
    """Whether messages may travel in the clear between machines: only where the network itself is
    encrypted. Off, since MLLP knows no login."""

    hl7_frame_mib: PositiveInt = 16
    """Largest message, MiB: a report with an attached PDF is below 10."""

    hl7_frame_s: PositiveFloat = 60
    """Seconds from the first to the last byte of a message, and to take an acknowledgement."""

    hl7_idle_s: PositiveFloat = 600
    """Seconds without a message after which a connection is closed; interface engines open it
    again."""

    hl7_connections: PositiveInt = 64
    """Connections at once; a further one is closed."""

    hl7_queue: PositiveInt = 256
    """Messages that may wait to be kept. Beyond, senders wait for their acknowledgement."""

    hl7_processing: tuple[str, ...] = ("P",)
    """Processing ids (MSH-11) that are taken: P production. T (training) and D (debugging) belong
    to a test installation, not beside real patients."""

    hl7_complaint: Literal["not stated", "acute chest pain"] = "not stated"
    """What the patients of the HL7 v2 messages came with, where neither the messages nor a person
    says so. Not stated by default, since a feed is usually of a whole laboratory; ``acute chest
    pain`` for the feed of a chest pain unit, which starts its pathway for every patient of it."""

    hl7_metrics_port: PositiveInt | None = None
    """Port on this machine that gives the listener's counters to Prometheus; None for none."""

    dicom_host: str = "127.0.0.1"
    """Address images are taken on (C-STORE). Another than this machine's own needs TLS, or
    `dicom_allow_plain`."""

    dicom_port: int = Field(default=11112, ge=0, le=65535)
    """Its port: the one registered for DICOM (IANA). 0 takes a free one."""

    dicom_ae_title: str = Field(default="EPICRISIS", min_length=1, max_length=16)
    """Our application entity title; who calls another one is refused."""

    dicom_senders: tuple[str, ...] = ()
    """AE titles that may send images, as JSON; none by default: a title is no secret, but a sender
    that nobody named is a mistake."""

    dicom_tls_cert: Path | None = None
    """PEM file with the certificate for DICOM over TLS and its chain; None for no TLS."""

    dicom_tls_key: Path | None = None
    """PEM file with its key, without a passphrase."""

    dicom_client_ca: Path | None = None
    """PEM file of the authority whose certificates senders must show; None asks for none."""

    dicom_allow_plain: bool = False
    """Whether images may travel in the clear between machines: only where the network itself is
    encrypted."""

    dicom_object_mib: PositiveInt = 512
    """Largest object taken, MiB: a multi-frame CT of a whole body; a slide's level may be larger
    and is better fetched."""

    dicom_associations: PositiveInt = 10
    """Associations at once; a further one is rejected as busy."""

    dicom_idle_s: PositiveFloat = 60
    """Seconds of silence after which an association is closed."""

    dicom_inbox_gib: PositiveInt = 50
    """Most that is kept of what arrived, GiB: some 200 CT studies. Beyond, senders are told that
    there is no room."""

    dicom_quiet_s: PositiveFloat = 10
    """Seconds without a further image after which a series is taken as whole. Archives wait some
    five to sixty."""

    dicom_worklist: bool = False
    """Whether ``epicrisis dicom listen`` puts each study into a case of the service, and so on the
    reading worklist. Off by default: who only wants images analysed keeps no cases of them."""

    dicom_web_url: str | None = None
    """Base address of the archive's DICOMweb (``https://pacs.example.org/dicom-web``), for
    ``epicrisis dicom fetch`` and for results; None for none."""

    dicom_web_user: str | None = None
    """User name there; None for none."""

    dicom_web_password: SecretStr | None = None
    """Password there."""

    dicom_web_token: SecretStr | None = None
    """Bearer token there, in place of user and password."""

    dicom_results: Literal["none", "stow", "store"] = "none"
    """Where results of what arrived go: kept only (``none``), to `dicom_web_url` (``stow``), or to
    `dicom_results_to` (``store``). None by default: an archive is changed where that was agreed."""

    dicom_results_to: str | None = None
    """``AETITLE@host:port`` that takes results by C-STORE."""

    reading_fhir_url: str | None = None
    """Base address of the FHIR R4 server that gets released readings, each as one DiagnosticReport
    of a patient whom it has (``https://ehr.example.org/fhir``); None for none. Its host may then be
    called, also at a private address."""

    reading_fhir_token: SecretStr | None = None
    """Bearer token there; it needs to search Patient, ImagingStudy and DiagnosticReport, and to
    create and update DiagnosticReport."""

    dicom_peer_ca: Path | None = None
    """PEM file of the authority of that archive's certificate: objects are then sent over TLS, with
    `dicom_tls_cert` as ours where it is set. None sends in the clear."""

    @field_validator("data_dir")
    @classmethod
    def _home(cls, folder: Path) -> Path:
        return folder.expanduser()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                load_zone(zone)
            except InvalidValueError as error:
                raise ValueError(f"{error.reason}; {error.way_out}") from error
        return zone


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InvalidValueError: A setting has an impossible value, or the settings file cannot be read;
            the message names the variable.
    """
    file = os.environ.get(_FILE)
    if file and not os.path.isfile(file):
        raise InvalidValueError(_FILE, "names no file", "correct or remove it")
    try:
        return Settings(_env_file=file or None)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = _PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidValueError(name, first["msg"], "correct or remove it") from error
    except UnicodeDecodeError as error:
        raise InvalidValueError(_FILE, "is not UTF-8 text", "save it as UTF-8") from error
