"""The API's documentation as a page: Swagger UI from this server alone, under a strict Content-Security-Policy."""

from importlib.resources import files
from typing import Final

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_DOCS_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sensorcast API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>The description of the API is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: false, validatorUrl: null
});
"""
_ASSETS: Final = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_STATIC: Final = files(fastapi_offline) / "static"


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _DOCS_CSP})


@router.get("/docs/start.js")
async def start() -> Response:
    """Starts Swagger UI; a file of its own, since inline scripts are not allowed."""
    return Response(_START, media_type="text/javascript")


def _asset(name: str, media_type: str) -> None:
    content = (_STATIC / name).read_bytes()

    async def asset() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})

    router.add_api_route(f"/docs/{name}", asset, methods=["GET"])


for _name, _media_type in _ASSETS.items():
    _asset(_name, _media_type)
