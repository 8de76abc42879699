"""Product profiles: how warm, how cold and for how long a product may be. Rules of kind `product` name them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.conditions import version_of
from sensorcast_api.paging import Page
from sensorcast_api.problems import ProblemError, not_found
from sensorcast_api.routes.versions import ETAG_HEADER, IfMatch, content_of, found, invalid_body, taken, written
from sensorcast_api.services import Wired
from sensorcast_common.condition import Finite, ProductCondition
from sensorcast_common.product import ACTIVATION_KJ_PER_MOL, Minutes, ProductProfile
from sensorcast_common.tables.products import ProductConflict
from sensorcast_common.tables.versioned import VersionConflict

router = APIRouter(prefix="/v1/products", tags=["rules"])

ProductPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", examples=["vaccine"])]


class ProductBody(BaseModel):
    """A profile as it is sent: tenant, id and version come from the credential, the path and the store."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [content_of(examples.PRODUCT, "product_id")]},
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    above: Finite | None = None
    below: Finite | None = None
    consecutive_minutes: Minutes | None = None
    cumulative_minutes: Minutes | None = None
    window_hours: Annotated[int, Field(strict=True, ge=1, le=168)] = 24
    mean_kinetic_above: Annotated[float, Field(strict=True, gt=-100, lt=100, allow_inf_nan=False)] | None = None
    activation_kj_per_mol: Annotated[float, Field(strict=True, gt=0, le=500, allow_inf_nan=False)] = (
        ACTIVATION_KJ_PER_MOL
    )


@router.get("", responses={200: examples.page(examples.PRODUCT), **examples.problems()})
async def list_products(caller: Viewer, wired: Wired) -> Page[ProductProfile]:
    """All profiles by id, on one page."""
    return Page(items=await wired.stores.products.list(caller.tenant))


@router.get(
    "/{product_id}", responses={200: examples.shown(examples.PRODUCT, headers=ETAG_HEADER), **examples.problems(404)}
)
async def get_product(caller: Viewer, wired: Wired, product_id: ProductPath, response: Response) -> ProductProfile:
    """One profile."""
    return found("product", await wired.stores.products.get(caller.tenant, product_id), response)


@router.put(
    "/{product_id}",
    responses={
        200: examples.shown(examples.PRODUCT, headers=ETAG_HEADER),
        201: {
            "description": "Created",
            "model": ProductProfile,
            **examples.shown(examples.PRODUCT, headers=ETAG_HEADER),
        },
        **examples.problems(403, 412, 428),
    },
)
async def put_product(
    caller: Operator,
    wired: Wired,
    product_id: ProductPath,
    body: ProductBody,
    response: Response,
    if_match: IfMatch = None,
) -> ProductProfile:
    """Create a profile, or replace the version that `If-Match` names; its rules follow within seconds."""
    expected = version_of(if_match) or 0
    try:
        profile = ProductProfile(tenant=caller.tenant, product_id=product_id, version=expected + 1, **body.model_dump())
    except ValidationError as error:
        raise invalid_body(error) from error
    try:
        await wired.stores.products.put(profile, by=caller.name)
    except ProductConflict as error:
        raise taken("profile", await wired.stores.products.get(caller.tenant, product_id), expected) from error
    return written(profile, response)


@router.delete("/{product_id}", status_code=204, responses=examples.problems(403, 404, 409, 412))
async def delete_product(caller: Operator, wired: Wired, product_id: ProductPath) -> None:
    """Remove a profile that no rule names."""
    named = [
        rule.rule_id
        for rule in await wired.stores.rules.list(caller.tenant)
        if isinstance(rule.condition, ProductCondition) and rule.condition.product == product_id
    ]
    if named:
        raise ProblemError(409, f"The product is named by the rules {', '.join(named)}.", kind="in-use")
    try:
        deleted = await wired.stores.products.delete(caller.tenant, product_id, by=caller.name)
    except VersionConflict as error:
        raise ProblemError(412, "The profile is being changed by others.", kind="version-conflict") from error
    if not deleted:
        raise not_found("product")
