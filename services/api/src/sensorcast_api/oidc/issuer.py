"""The issuer's keys: found by discovery, kept, and asked for again when a token names one that is new."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from sensorcast_common.logs import logger

log = logger(__name__)

_DISCOVERY: Final = "/.well-known/openid-configuration"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_MAX_BYTES: Final = 256 * 1024
_KINDS: Final[dict[str, Callable[[dict[str, str | list[str]]], RSAKey | ECKey | OKPKey]]] = {
    "RSA": RSAKey.import_key,
    "EC": ECKey.import_key,
    "OKP": OKPKey.import_key,
}
"""Keys that verify and cannot sign; a symmetric key among the published ones would be no secret."""


class IssuerAway(Exception):  # noqa: N818 - what is the matter
    """The issuer's keys are not known and cannot be asked for now."""


class Fetch(Protocol):
    """Gets a JSON document."""

    async def __call__(self, url: str) -> object:
        """The document; raises `OSError`, `TimeoutError`, `aiohttp.ClientError` or `ValueError`."""
        ...


async def fetch_json(url: str) -> object:
    """Get a JSON document of bounded size over HTTP, following no redirect."""
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT) as session,
        session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
    ):
        if response.status != 200:
            raise ValueError(f"{url}: answered {response.status}")
        body = await response.content.read(_MAX_BYTES + 1)
        if len(body) > _MAX_BYTES or not response.content.at_eof():
            raise ValueError(f"{url}: larger than {_MAX_BYTES} bytes")
        return json.loads(body)


class IssuerKeys:
    """The published keys of one issuer (OpenID Connect Discovery 1.0, RFC 7517).

    Args:
        issuer: Its identifier, an https address.
        jwks_url: Where its keys are; found by discovery where `None`.
        fetch: Gets a document.
        keep_seconds: How long keys are used before they are asked for again. Where that fails the old ones stay.
        pause_seconds: Between two requests, so that tokens with invented key ids do not become a flood at the issuer.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        issuer: str,
        *,
        jwks_url: str | None = None,
        fetch: Fetch = fetch_json,
        keep_seconds: float = 3600.0,
        pause_seconds: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetch = fetch
        self._keep = keep_seconds
        self._pause = pause_seconds
        self._monotonic = monotonic
        self._keys: dict[str, RSAKey | ECKey | OKPKey] = {}
        self._asked_at = float("-inf")
        self._known_at = float("-inf")
        self._asking = asyncio.Lock()

    async def key(self, kid: str) -> RSAKey | ECKey | OKPKey | None:
        """The key of this id, or `None` where the issuer has none of that id.

        Raises:
            IssuerAway: No keys are known, and the issuer does not answer.
        """
        if kid not in self._keys or self._monotonic() - self._known_at >= self._keep:
            await self._refresh(kid)
        return self._keys.get(kid)

    async def _refresh(self, kid: str) -> None:
        async with self._asking:
            now = self._monotonic()
            fresh = now - self._known_at < self._keep
            if (kid in self._keys and fresh) or now - self._asked_at < self._pause:
                if not self._keys:
                    raise IssuerAway(self._issuer)
                return
            self._asked_at = now
            try:
                self._keys = _read_keys(await self._fetch(await self._where()))
                self._known_at = now
            except (OSError, TimeoutError, aiohttp.ClientError, ValueError) as error:
                log.warning("the issuer's keys cannot be read", issuer=self._issuer, error=str(error)[:300])
                if not self._keys:
                    raise IssuerAway(self._issuer) from error

    async def _where(self) -> str:
        """Address of the keys; the issuer must call itself what it is called here (Discovery, section 4.3)."""
        if self._jwks_url is not None:
            return self._jwks_url
        document = await self._fetch(self._issuer.rstrip("/") + _DISCOVERY)
        if not isinstance(document, Mapping) or document.get("issuer") != self._issuer:
            raise ValueError("discovery: issuer: not the one that was asked")
        url = document.get("jwks_uri")
        if not isinstance(url, str) or not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("discovery: jwks_uri: not an https address")
        return url


def _read_keys(document: object) -> dict[str, RSAKey | ECKey | OKPKey]:
    """The keys that verify signatures, by id.

    Raises:
        ValueError: It is no key set.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if entries is None or isinstance(entries, str | bytes) or not isinstance(entries, Sequence):
        raise ValueError("keys: not a list")
    found: dict[str, RSAKey | ECKey | OKPKey] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        kind = _KINDS.get(str(entry.get("kty")))
        if kind is None:
            continue
        try:
            found[entry["kid"]] = kind(entry)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("a key of the issuer cannot be read", kid=entry["kid"][:64], error=str(error)[:200])
    return found
