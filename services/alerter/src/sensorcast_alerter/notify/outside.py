"""Posts to addresses that tenants give: https only, to public addresses only, no redirects, no cookies, no proxies.

A tenant chooses the address, and the request comes from inside our network: it must not reach the instance's metadata
service, a database, or this machine. The host's addresses are looked at when they are resolved, and the connection
goes to one of those, so that a name which changes its mind in between gains nothing.
"""

import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from sensorcast_alerter.ports import Refused
from sensorcast_common.errors import Retryable

TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
_LATER: Final = frozenset({408, 425, 429})
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_USER_AGENT: Final = "sensorcast-alerter"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(OSError):
    """The host is not in public."""


class _PublicResolver(AbstractResolver):
    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if is_allowed(each["host"], allow_loopback=self._allow_loopback)]
        if not allowed:
            raise ForbiddenAddressError(f"{host} has no public address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


class Outside:
    """Posts to the outside; enter it with `async with`.

    Args:
        allow_loopback: Whether this machine may be reached, and by plain http; for a laptop and for tests.
    """

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> "AsyncIterator[Outside]":
        """Keep a session while this is open."""
        connector = aiohttp.TCPConnector(
            resolver=_PublicResolver(allow_loopback=self._allow_loopback), use_dns_cache=False, force_close=True
        )
        async with aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as session:
            self._session = session
            yield self

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Return once the other side has answered with 2xx; its answer is not read.

        Raises:
            Refused: The address is not allowed, or the other side will not take this.
            Retryable: The other side is away or busy.
        """
        if self._session is None:
            raise RuntimeError("outside: not open")
        self._check(url)
        try:
            async with self._session.post(
                url, data=body, headers={"User-Agent": _USER_AGENT, **headers}, allow_redirects=False
            ) as response:
                status, after = response.status, response.headers.get("Retry-After", "")
                response.close()
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ForbiddenAddressError) or isinstance(error.__cause__, ForbiddenAddressError):
                raise Refused("the address is not a public one") from error
            raise Retryable(f"connection: {type(error).__name__}") from error
        except aiohttp.InvalidURL as error:
            raise Refused("the address is not valid") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Retryable(f"connection: {type(error).__name__}") from error
        if 200 <= status < 300:
            return
        if status in _LATER or status >= 500:
            raise Retryable(f"HTTP {status}", after=float(after) if after.isdecimal() and len(after) < 6 else None)
        raise Refused(f"HTTP {status}")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        loopback = self._allow_loopback and _is_loopback(host)
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise Refused("the address is not https")
        if _is_literal(host) and not is_allowed(host, allow_loopback=self._allow_loopback):
            raise Refused("the address is not a public one")


def is_allowed(host: str, *, allow_loopback: bool = False) -> bool:
    """Whether an IP address is one of the public internet, or of this machine where that is allowed."""
    address = _unwrapped(ipaddress.ip_address(host.partition("%")[0]))
    return (address.is_global and not address.is_multicast) or (allow_loopback and address.is_loopback)


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_literal(host) and ipaddress.ip_address(host).is_loopback)
