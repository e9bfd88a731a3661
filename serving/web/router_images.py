"""The images and slides of a case: their list, a viewer for each, and the pictures themselves."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from knowledge.errors import ContractError, InputError
from knowledge.plain_text import visible
from serving.access.errors import ForbiddenError, NotFoundError
from serving.access.guard import PrincipalDep, allowed_case, allowed_pictures
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.cases.statement import state_same_patient, unidentified
from serving.images.found import Kept, images_of
from serving.images.layer import Layer
from serving.images.overlays import may_point
from serving.images.slide_layer import SlideLayer
from serving.problem import status_of
from serving.services import Services, ServicesDep
from serving.signing.service import PEOPLE
from serving.web.image_view import (
    input_problem,
    layer_words,
    layers_shown,
    left_out_shown,
    of_series,
    picture_shown,
    slice_number,
    studies_shown,
    study_shown,
)
from serving.web.pages import language_of, render
from serving.web.patient_view import patient_shown
from serving.web.slide_view import slide_shown
from serving.web.translation import translations
from serving.web.words import Say
from tools.imaging.view.drawn import Asked

router = APIRouter(tags=["pages"], include_in_schema=False)

FilesCase = Annotated[Case, Depends(allowed_case(Permission.ADD_FILES))]
ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
PicturesOfCase = Annotated[Case, Depends(allowed_pictures(Permission.READ_CASE))]
ImageId = Annotated[str, Path(max_length=40)]
Number = Annotated[int, Path(ge=0, le=1_000_000)]
Key = Annotated[str, Query(max_length=20)]
Size = Annotated[int | None, Query(ge=32, le=8192)]
Level = Annotated[float | None, Query()]

_MOST_IDS = 40_000
"""Characters of the ids of 2,000 files."""

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""No picture of a patient stays in a browser that several people use."""

_SCRIPT_HEADERS = _HEADERS | {"Cache-Control": "private, max-age=60"}
"""Tiles are asked for again and again while a slide is moved."""


@router.get("/cases/{case_id}/images")
def images(
    request: Request,
    case: ReadableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    hx_request: Annotated[str | None, Header(alias="hx-request")] = None,
) -> HTMLResponse:
    """Return the images of a case; for a script, as the part of a page.

    Raises:
        NotFoundError: The case was not assessed yet.
        ContractError: Its files are not of one patient.
    """
    language = language_of(request)
    say = translations(language).gettext
    found = images_of(services, case)
    template = "images_page.html" if hx_request is None else "images_strip.html"
    shown = studies_shown(found, services.images, say, language)
    may = principal.via in PEOPLE and principal.may(Permission.ADD_FILES, patient=case.patient)
    return render(
        request,
        template,
        case=case,
        patient=patient_shown(services, case, say),
        studies=shown,
        left_out=left_out_shown(found, services.images, say),
        unidentified=tuple(one.id for one in unidentified(found)) if may else (),
    )


@router.post("/cases/{case_id}/images/same-patient")
def same_patient(
    case: FilesCase,
    principal: PrincipalDep,
    services: ServicesDep,
    files: Annotated[str, Form(max_length=_MOST_IDS)],
    reason: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Keep a person's statement that files without identity are of the patient of the case.

    Raises:
        ForbiddenError: A system cannot state it.
        InvalidValueError: No reason, or a file that carries an identity.
        IdentityConflictError: It would become the case of another patient.
    """
    if principal.via not in PEOPLE:
        raise ForbiddenError(Permission.ADD_FILES.value)
    state_same_patient(services, case, files.split(), reason=reason, principal=principal)
    return RedirectResponse(f"/cases/{case.id}/images", status_code=303)


@router.get("/cases/{case_id}/images/{image}")
def viewer(
    request: Request,
    case: ReadableCase,
    services: ServicesDep,
    image: ImageId,
    frame: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    window: Key = "",
    center: Level = None,
    width: Level = None,
    invert: bool = False,
) -> HTMLResponse:
    """Return the viewer of the series that an image is of, or of a slide.

    Raises:
        NotFoundError: The case has no such image.
        ContractError: Its files are not of one patient, or it is the label of a slide.
    """
    language = language_of(request)
    say = translations(language).gettext
    desk, found = services.images, images_of(services, case)
    study, kept = found.find(image)
    series, errors = desk.series(found, study)
    mine = of_series(series, image)
    about = study_shown(found, study, desk, say, language, shown=kept)
    if mine is not None and mine.is_slide:
        members = desk.slide(found, study, kept)
        slide = slide_shown(desk, members, say)
        layers = () if slide.problem else layers_shown(desk.slide_layers(found), say)
        return render(
            request,
            "slide_page.html",
            case=case,
            study=about,
            image=image,
            slide=slide,
            layers=layers,
        )
    picture = (
        input_problem(errors[kept.name], say)
        if kept.name in errors
        else picture_shown(desk, kept, frame, say, language)
    )
    return render(
        request,
        "image_page.html",
        case=case,
        study=about,
        image=image,
        frame_number=frame,
        picture=picture,
        layers=()
        if mine is None or picture.problem
        else layers_shown(desk.layers(found, mine), say),
        may_point=mine is not None and not picture.problem and may_point(mine),
        slices=() if mine is None else mine.slices,
        more=mine is not None and mine.more,
        number=0 if mine is None else slice_number(mine, image, frame),
        chosen={"window": window, "center": center, "width": width, "invert": invert},
    )


@router.get("/cases/{case_id}/images/{image}/frames/{frame}")
def frame_picture(
    case: PicturesOfCase,
    services: ServicesDep,
    image: ImageId,
    frame: Number,
    window: Key = "",
    center: Level = None,
    width: Level = None,
    invert: bool = False,
    longest: Size = None,
) -> Response:
    """Return one picture as PNG, windowed as asked.

    Raises:
        NotFoundError: The case has no such image.
        InputError: It cannot be shown: truncated, not decodable, empty, a slide.
    """
    _, kept = images_of(services, case).find(image)
    asked = Asked(window=window, center=center, width=width, invert=invert, longest=longest)
    content = services.images.picture(kept, asked, frame=frame)
    return Response(content, media_type="image/png", headers=_HEADERS)


@router.get("/cases/{case_id}/images/{image}/layers/{layer}")
def layer_legend(
    request: Request, case: PicturesOfCase, services: ServicesDep, image: ImageId, layer: ImageId
) -> JSONResponse:
    """Return what a layer shows: its labels with their colours, and what must be known of it.

    Where nothing is drawn the answer is the problem, its reason in the language of the page.

    Raises:
        NotFoundError: The case has no such image or layer.
    """
    language = language_of(request)
    say = layer_words(language, translations(language).gettext)
    try:
        found = _layer(services, case, image, layer)[0]
    except InputError as error:
        return _no_layer(error, say)
    content = {
        "labels": [{"label": say(label), "colour": colour} for label, colour in found.legend],
        "notes": [note.read(say) for note in found.notes],
    }
    return JSONResponse(content, headers=_HEADERS)


@router.get("/cases/{case_id}/images/{image}/frames/{frame}/marks/{layer}")
def layer_picture(
    case: PicturesOfCase,
    services: ServicesDep,
    image: ImageId,
    frame: Number,
    layer: ImageId,
    longest: Size = None,
) -> Response:
    """Return the marks of a layer on one picture, as a transparent PNG of its size.

    Raises:
        NotFoundError: The case has no such image or layer.
        InputError: Nothing is drawn; says why.
    """
    found, kept = _layer(services, case, image, layer)
    content = services.images.marks(found, kept, frame=frame, longest=longest)
    return Response(content, media_type="image/png", headers=_HEADERS)


def _layer(services: Services, case: Case, image: str, layer: str) -> tuple[Layer, Kept]:
    found = images_of(services, case)
    study, kept = found.find(image)
    series = of_series(services.images.series(found, study)[0], image)
    if series is None:
        raise NotFoundError("layer")
    return services.images.layer(found, series, kept, layer), kept


@router.get("/cases/{case_id}/slides/{image}")
def slide_description(case: PicturesOfCase, services: ServicesDep, image: ImageId) -> Response:
    """Return how the tiles of a slide are cut (Deep Zoom).

    Raises:
        NotFoundError: The case has no such image.
        InputError: It is no slide, or cannot be opened.
    """
    found = images_of(services, case)
    members = services.images.slide(found, *found.find(image))
    content = services.images.dzi(members)
    return Response(content, media_type="application/xml", headers=_HEADERS)


@router.get("/cases/{case_id}/slides/{image}/thumbnail")
def slide_thumbnail(case: PicturesOfCase, services: ServicesDep, image: ImageId) -> Response:
    """Return a slide in one small picture, made of its tiles: never of its label.

    Raises:
        NotFoundError: The case has no such image.
        InputError: It is no slide, or cannot be opened.
    """
    found = images_of(services, case)
    members = services.images.slide(found, *found.find(image))
    content = services.images.thumbnail(members)
    return Response(content, media_type="image/jpeg", headers=_HEADERS)


@router.get("/cases/{case_id}/slides/{image}/tiles/{level}/{tile}")
def slide_tile(
    case: PicturesOfCase, services: ServicesDep, image: ImageId, level: Number, tile: str
) -> Response:
    """Return one tile of a slide as JPEG.

    Raises:
        NotFoundError: The case has no such image.
        InputError: There is no such tile, or the slide is damaged there.
    """
    found = images_of(services, case)
    members = services.images.slide(found, *found.find(image))
    column, row = _place(tile)
    content = services.images.tile(members, level, column, row)
    return Response(content, media_type="image/jpeg", headers=_SCRIPT_HEADERS)


@router.get("/cases/{case_id}/slides/{image}/layers/{layer}")
def slide_layer_legend(
    request: Request, case: PicturesOfCase, services: ServicesDep, image: ImageId, layer: ImageId
) -> JSONResponse:
    """Return what a layer of a slide shows, and which share of the slide's width it covers.

    Where there is none the answer is the problem, its reason in the language of the page.

    Raises:
        NotFoundError: The case has no such slide or layer.
    """
    language = language_of(request)
    say = layer_words(language, translations(language).gettext)
    try:
        found = _slide_layer(services, case, image, layer)
    except InputError as error:
        return _no_layer(error, say)
    content = {
        "labels": [{"label": label.read(say), "colour": colour} for label, colour in found.legend],
        "notes": [note.read(say) for note in found.notes],
        "width": found.width,
    }
    return JSONResponse(content, headers=_HEADERS)


@router.get("/cases/{case_id}/slides/{image}/layers/{layer}/picture")
def slide_layer_picture(
    case: PicturesOfCase, services: ServicesDep, image: ImageId, layer: ImageId
) -> Response:
    """Return a layer of a slide as a transparent PNG.

    Raises:
        NotFoundError: The case has no such slide or layer.
        InputError: There is none; says why.
    """
    found = _slide_layer(services, case, image, layer)
    return Response(found.picture, media_type="image/png", headers=_HEADERS)


def _slide_layer(services: Services, case: Case, image: str, layer: str) -> SlideLayer:
    found = images_of(services, case)
    members = services.images.slide(found, *found.find(image))
    return services.images.slide_layer(found, members, layer)


def _no_layer(error: InputError, say: Say) -> JSONResponse:
    status = status_of(error)
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "reason": visible(say(error.reason)),
        "way_out": visible(error.way_out),
    }
    return JSONResponse(
        content, status_code=status, media_type="application/problem+json", headers=_HEADERS
    )


def _place(tile: str) -> tuple[int, int]:
    """Return column and row of ``3_5.jpeg``, as Deep Zoom names tiles."""
    parts = tile.removesuffix(".jpeg").split("_")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 8 for p in parts):
        raise ContractError("tile", "is not named as Deep Zoom names tiles", "give column_row.jpeg")
    return int(parts[0]), int(parts[1])
