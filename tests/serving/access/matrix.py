"""Every endpoint and what it takes to use it. One that is not here fails `test_matrix.py`.

A path with ``{case_id}`` is of one case; its permission is asked for that case. An endpoint is
public only if it is in `PUBLIC`: login, discovery, health, static files.
"""

from typing import Literal

from serving.access.principal import Permission as P

Need = P | Literal["public", "known", "signed"]
"""A permission; or for anybody; for anybody who is known; for who signs each call (CDS Hooks)."""

PUBLIC = (
    "GET /openapi.json",
    "GET /livez",
    "GET /readyz",
    "GET /login",
    "GET /login/start",
    "GET /login/callback",
    "GET /smart/launch",
    "GET /smart/start",
    "GET /smart/callback",
    "POST /oauth/token",
    "GET /static/{name}",
    "GET /language/{language}",
    "GET /v1/fhir/jwks.json",
)

SIGNED = (
    "GET /cds-services",
    "POST /cds-services/{service_id}",
    "POST /cds-services/{service_id}/feedback",
)

KNOWN = ("GET /", "GET /v1/me", "POST /logout")
"""The start page lists what its reader may see, which may be nothing."""

PERMISSION: dict[str, P] = {
    "GET /metrics": P.OPERATE,
    "GET /v1/llm/pool": P.OPERATE,
    "GET /llm/pool": P.OPERATE,
    "GET /v1/audit": P.READ_AUDIT,
    "GET /v1/feedback": P.READ_FEEDBACK,
    "GET /model-card": P.READ_KNOWLEDGE,
    "GET /model-card/tools/{name}": P.READ_KNOWLEDGE,
    "GET /v1/models": P.CHAT,
    "POST /v1/chat/completions": P.CHAT,
    "GET /v1/worklist": P.READ_CASE,
    "GET /worklist": P.READ_CASE,
    "GET /sidebar": P.READ_CASE,
    "GET /smart/sidebar": P.READ_CASE,
    "POST /sidebar/pull": P.READ_CASE,  # and CREATE_CASE for the patient of its launch
    "POST /sidebar/cases/{case_id}/answers": P.ANSWER,
    "POST /sidebar/cases/{case_id}/dismiss": P.READ_CASE,
    "POST /worklist/{case_id}/acknowledgements": P.ACKNOWLEDGE,
    "POST /worklist/{case_id}/acknowledgements/{acknowledgement_id}": P.ACKNOWLEDGE,
    "GET /v1/cases": P.READ_CASE,
    "POST /v1/cases": P.CREATE_CASE,
    "POST /v1/fhir/pulls": P.CREATE_CASE,
    "POST /cases": P.CREATE_CASE,
    "POST /cases/examples/{name}": P.CREATE_CASE,
    "GET /v1/cases/{case_id}": P.READ_CASE,
    "POST /v1/cases/{case_id}/files": P.ADD_FILES,
    "DELETE /v1/cases/{case_id}/files": P.ADD_FILES,
    "POST /v1/cases/{case_id}/assessments": P.ASSESS,
    "GET /v1/cases/{case_id}/assessments": P.READ_CASE,
    "GET /v1/cases/{case_id}/assessments/{version}": P.READ_CASE,
    "GET /v1/cases/{case_id}/questions": P.READ_CASE,
    "POST /v1/cases/{case_id}/answers": P.ANSWER,
    "GET /v1/cases/{case_id}/conversation": P.CHAT,
    "GET /v1/cases/{case_id}/conversation/{turn_id}": P.CHAT,
    "POST /v1/cases/{case_id}/conversation": P.CHAT,
    "GET /v1/cases/{case_id}/evidence/{evidence_id}": P.READ_CASE,
    "POST /v1/cases/{case_id}/runs": P.ASSESS,
    "GET /v1/cases/{case_id}/runs": P.READ_CASE,
    "GET /v1/cases/{case_id}/runs/{run_id}": P.READ_CASE,
    "GET /v1/cases/{case_id}/runs/{run_id}/events": P.READ_CASE,
    "DELETE /v1/cases/{case_id}/runs/{run_id}": P.ASSESS,
    "GET /v1/cases/{case_id}/sign-off/draft": P.SIGN,
    "PUT /v1/cases/{case_id}/sign-off/draft": P.SIGN,
    "POST /v1/cases/{case_id}/sign-offs": P.SIGN,
    "GET /v1/cases/{case_id}/sign-offs": P.READ_CASE,
    "GET /v1/cases/{case_id}/sign-offs/{sign_off_id}": P.READ_CASE,
    "GET /v1/cases/{case_id}/flags": P.READ_CASE,
    "POST /v1/cases/{case_id}/flags/{flag_id}/resolve": P.SIGN,
    "GET /v1/cases/{case_id}/acknowledgements": P.READ_CASE,
    "POST /v1/cases/{case_id}/acknowledgements/{acknowledgement_id}": P.ACKNOWLEDGE,
    "GET /v1/cases/{case_id}/report": P.EXPORT,
    "POST /v1/cases/{case_id}/report/write-back": P.EXPORT,
    "GET /readings": P.READ_CASE,
    "GET /cases/{case_id}/readings/{reading_id}": P.READ_CASE,
    "POST /cases/{case_id}/readings/{reading_id}/{action}": P.SIGN,
    "GET /v1/readings": P.READ_CASE,
    "GET /v1/cases/{case_id}/readings": P.READ_CASE,
    "GET /v1/cases/{case_id}/readings/{reading_id}": P.READ_CASE,
    "POST /v1/cases/{case_id}/readings/{reading_id}/start": P.SIGN,
    "PUT /v1/cases/{case_id}/readings/{reading_id}/content": P.SIGN,
    "POST /v1/cases/{case_id}/readings/{reading_id}/give-back": P.SIGN,
    "POST /v1/cases/{case_id}/readings/{reading_id}/sign": P.SIGN,
    "POST /v1/cases/{case_id}/readings/{reading_id}/release": P.SIGN,
    "GET /v1/cases/{case_id}/readings/{reading_id}/release": P.EXPORT,
    "POST /v1/cases/{case_id}/readings/{reading_id}/send": P.SIGN,
    "POST /v1/cases/{case_id}/readings/{reading_id}/corrections": P.SIGN,
    "POST /v1/cases/{case_id}/readings/{reading_id}/opinions": P.SIGN,
    "GET /cases/{case_id}": P.READ_CASE,
    "POST /cases/{case_id}/answers": P.ANSWER,
    "POST /cases/{case_id}/files": P.ADD_FILES,
    "POST /cases/{case_id}/samples": P.ADD_FILES,
    "GET /cases/{case_id}/ecg": P.READ_CASE,
    "GET /cases/{case_id}/images": P.READ_CASE,
    "POST /cases/{case_id}/images/same-patient": P.ADD_FILES,
    "GET /cases/{case_id}/images/{image}": P.READ_CASE,
    "GET /cases/{case_id}/images/{image}/frames/{frame}": P.READ_CASE,
    "GET /cases/{case_id}/images/{image}/layers/{layer}": P.READ_CASE,
    "GET /cases/{case_id}/images/{image}/frames/{frame}/marks/{layer}": P.READ_CASE,
    "GET /cases/{case_id}/slides/{image}": P.READ_CASE,
    "GET /cases/{case_id}/slides/{image}/thumbnail": P.READ_CASE,
    "GET /cases/{case_id}/slides/{image}/layers/{layer}": P.READ_CASE,
    "GET /cases/{case_id}/slides/{image}/layers/{layer}/picture": P.READ_CASE,
    "GET /cases/{case_id}/slides/{image}/tiles/{level}/{tile}": P.READ_CASE,
    "POST /cases/{case_id}/files/remove": P.ADD_FILES,
    "POST /cases/{case_id}/assess": P.ASSESS,
    "GET /cases/{case_id}/chat": P.CHAT,
    "GET /cases/{case_id}/chat/turns/{turn_id}": P.CHAT,
    "POST /cases/{case_id}/chat": P.CHAT,
    "GET /cases/{case_id}/evidence/{evidence_id}": P.READ_CASE,
    "GET /cases/{case_id}/evidence/{evidence_id}/ecg.svg": P.READ_CASE,
    "POST /cases/{case_id}/runs": P.ASSESS,
    "GET /cases/{case_id}/runs/{job_id}": P.READ_CASE,
    "POST /cases/{case_id}/runs/{job_id}/cancel": P.ASSESS,
    "GET /cases/{case_id}/runs/{job_id}/steps": P.READ_CASE,
    "GET /cases/{case_id}/sign-off": P.READ_CASE,
    "GET /cases/{case_id}/sign-off/badge": P.READ_CASE,
    "GET /cases/{case_id}/sign-off/newer": P.READ_CASE,
    "POST /cases/{case_id}/sign-off": P.SIGN,
    "POST /cases/{case_id}/sign-off/decide": P.SIGN,
    "POST /cases/{case_id}/sign-off/flags/{flag_id}": P.SIGN,
}

FURTHER = ("POST /v1/cases/{case_id}/report/write-back",)
"""What is refused to everybody without a further condition: a setting, a launch that may write."""

NEEDS: dict[str, Need] = {
    **dict.fromkeys(PUBLIC, "public"),
    **dict.fromkeys(SIGNED, "signed"),
    **dict.fromkeys(KNOWN, "known"),
    **PERMISSION,
}
