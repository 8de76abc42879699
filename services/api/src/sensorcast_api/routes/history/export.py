"""The past as one file."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from sensorcast_api import examples
from sensorcast_api.history.caller import unless_gone
from sensorcast_api.history.format import Format
from sensorcast_api.routes.history.asked import Asked, ThePast, explained
from sensorcast_common.clock import from_millis

router = APIRouter(prefix="/v1/history", tags=["history"])


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file: columns device, metric, ts, value, unit; sorted.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "device,metric,ts,value,unit\ntruck-7,temperature,2026-05-28T20:26:40Z,4.2,Cel\n",
                },
                "application/vnd.apache.parquet": {},
                "application/vnd.apache.arrow.stream": {},
            },
        },
        **examples.problems(502, 503),
    },
)
async def export_history(
    request: Request,
    past: ThePast,
    asked: Asked,
    form: Annotated[Format, Query(alias="format", description="What the file is to be.")] = Format.CSV,
) -> StreamingResponse:
    """Readings with `start` <= `ts` < `end` as one file, sent while it is made."""
    # PyArrow takes 60 MB, which a process that exports nothing does without.
    from sensorcast_api.history.export import encoded

    with explained("query"):
        parts = await unless_gone(request, past.stream(asked))
    name = f"{asked.tenant}-{from_millis(asked.start):%Y%m%dT%H%M%SZ}-{from_millis(asked.end):%Y%m%dT%H%M%SZ}"
    return StreamingResponse(
        encoded(parts, form),
        media_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{form.value}"'},
    )
