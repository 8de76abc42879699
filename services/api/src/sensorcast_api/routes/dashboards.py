"""Dashboards of the tenant's history, to be embedded in a page."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.dashboards import URL_SECONDS, DashboardsBusy, DashboardsRefused, Embedding, NotInPlan
from sensorcast_api.idempotency import UNREPEATABLE
from sensorcast_api.parameters import NAME_PATTERN
from sensorcast_api.problems import ProblemError, not_found
from sensorcast_api.services import Wired
from sensorcast_common import logs
from sensorcast_common.clock import UtcDatetime, from_millis

log = logs.logger(__name__)

router = APIRouter(prefix="/v1/dashboards", tags=["dashboards"])


class Dashboards(BaseModel):
    """The dashboards there are; none where the service has no QuickSight, and `/v1/history` serves instead."""

    items: list[str]


class DashboardLink(BaseModel):
    """A link for an iframe.

    Attributes:
        name: Which dashboard.
        url: To be opened once; it shows the rows of the caller's tenant and no others.
        expires_at: Until when it may be opened.
    """

    name: str
    url: str
    expires_at: UtcDatetime


_LINK_EXAMPLE: Final = DashboardLink(
    name="history",
    url="https://eu-central-1.quicksight.aws.amazon.com/embed/4e5f/dashboards/history?code=AYAB",
    expires_at=examples.FORECAST.known_at,
)


@router.get("", responses={200: examples.shown(Dashboards(items=["history"])), **examples.problems()})
async def list_dashboards(caller: Viewer, wired: Wired) -> Dashboards:
    """The dashboards that can be embedded."""
    del caller
    return Dashboards(items=sorted(wired.dashboards.dashboards) if wired.dashboards else [])


@router.post(
    "/{name}/links", status_code=201, responses={201: examples.shown(_LINK_EXAMPLE), **examples.problems(404, 502, 503)}
)
async def make_link(
    caller: Viewer,
    wired: Wired,
    name: Annotated[str, Path(pattern=NAME_PATTERN, examples=["history"])],
    response: Response,
) -> DashboardLink:
    """Make a link to a dashboard, for one use within five minutes; AWS bills each session that is opened by it."""
    embedding: Embedding | None = wired.dashboards
    if embedding is None or name not in embedding.dashboards:
        raise not_found("dashboard")
    try:
        url = await embedding.link(name, tenant=caller.tenant)
    except NotInPlan as error:
        raise ProblemError(
            503,
            "The AWS account's QuickSight pricing does not allow embedding for people without an account there: "
            "it takes session capacity pricing. The history at /v1/history is the same.",
            kind="quicksight-pricing",
            title="QuickSight pricing does not allow it",
        ) from error
    except DashboardsBusy as error:
        raise ProblemError(503, "QuickSight does not answer now.", headers={"Retry-After": "10"}) from error
    except DashboardsRefused as error:
        log.warning("quicksight refuses to embed", dashboard=name, reason=str(error))
        raise ProblemError(502, "QuickSight refuses; the reason is in the service's log.") from error
    response.headers["Cache-Control"] = "no-store"
    response.headers[UNREPEATABLE] = "true"  # whoever has the link gets in
    return DashboardLink(name=name, url=url, expires_at=from_millis(wired.clock() + URL_SECONDS * 1000))
