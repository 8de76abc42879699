"""The web page: what Vite built, served from memory under a strict Content-Security-Policy."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

BUILT: Final = Path(__file__).resolve().parent.parent / "page"
"""Where `make web` puts the built page."""

ROUTES: Final = (
    "/",
    "/devices/{rest:path}",
    "/escalations",
    "/escalations/{rest:path}",
    "/history",
    "/incidents",
    "/incidents/{rest:path}",
    "/keys",
    "/products",
    "/products/{rest:path}",
    "/recipients",
    "/recipients/{rest:path}",
    "/rules",
    "/rules/{rest:path}",
    "/silences",
    "/status",
)
"""Addresses of views: the page itself finds out which one to show."""

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

FRAMED: Final = "; frame-src https://*.quicksight.aws.amazon.com"
"""What the policy allows besides where dashboards are embedded."""

_TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml"}
_COMPRESSIBLE: Final = (".html", ".js", ".css", ".svg", ".json", ".webmanifest")
_HASHED: Final = "assets/"
"""Below it, a name holds the hash of the content, so that it never changes."""

_ABSENT: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sensorcast</title></head>
<body>
<h1>Sensorcast runs, but its page is not built</h1>
<p>Building it needs Node.js 20.19 or later: install it, run <code>make web</code>, and start Sensorcast again.</p>
<p>Everything else works without: see the <a href="/docs">documentation of the API</a>.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page.

    Attributes:
        content: Its bytes.
        packed: The same, gzipped; `None` where that saves nothing.
        media_type: Its type.
        etag: Of its content.
        forever: Whether it never changes under its name.
    """

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str
    forever: bool


def load(root: Path) -> dict[str, Asset]:
    """All files below `root` by their path; nothing else can be asked for, and no request reads a file."""
    return {
        file.relative_to(root).as_posix(): _asset(file, name=file.relative_to(root).as_posix())
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def page_router(root: Path = BUILT, *, dashboards: bool = False) -> APIRouter:
    """The routes of the page that was built into `root`; where it was not, the start page says so.

    Args:
        root: A folder with `index.html` and what it refers to.
        dashboards: Whether the page may frame dashboards of QuickSight.
    """
    router = APIRouter(include_in_schema=False)
    assets = load(root)
    index = assets.pop("index.html", None)
    if index is None:
        router.add_api_route("/", _absent, methods=["GET"])
        return router
    policy = CSP + FRAMED if dashboards else CSP
    for path in ROUTES:
        _serve(router, path, index, policy)
    for name, asset in assets.items():
        _serve(router, f"/{name}", asset, policy)
    return router


async def _absent() -> HTMLResponse:
    return HTMLResponse(_ABSENT, status_code=404)


def _serve(router: APIRouter, path: str, asset: Asset, policy: str) -> None:
    async def serve(request: Request) -> Response:
        return respond(asset, request, policy=policy)

    router.add_api_route(path, serve, methods=["GET", "HEAD"])


def respond(asset: Asset, request: Request, *, policy: str) -> Response:
    """The file, packed where the browser takes that, or the word that the browser's copy is still good."""
    headers = {
        "ETag": asset.etag,
        "Cache-Control": "public, max-age=31536000, immutable" if asset.forever else "no-cache",
        "Content-Security-Policy": policy,
        "Vary": "Accept-Encoding",
    }
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = asset.content
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = asset.packed
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=asset.media_type, headers=headers)


def _asset(file: Path, *, name: str) -> Asset:
    content = file.read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if file.suffix in _COMPRESSIBLE else None
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(
        content=content,
        packed=packed if packed is not None and len(packed) < len(content) else None,
        media_type=_TYPES.get(file.suffix, guessed),
        etag=f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"',
        forever=name.startswith(_HASHED),
    )
