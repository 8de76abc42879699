"""Checks bearer tokens: algorithm, signature, issuer, audience, times; then reads tenant and role."""

import base64
import binascii
import json
from collections.abc import Collection
from typing import Final

from joserfc import jws
from joserfc.errors import JoseError

from sensorcast_api.credential import Credential
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.oidc.claims import ClaimRules, Refused, credential
from sensorcast_api.oidc.issuer import IssuerAway, IssuerKeys
from sensorcast_api.problems import ProblemError
from sensorcast_common.clock import Clock
from sensorcast_common.logs import logger

log = logger(__name__)

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Those whose verifying key is not the signing key; `none` and HMAC are never among them."""

_LONGEST: Final = 8_192


class Tokens:
    """Checks the tokens of one issuer.

    Args:
        keys: The issuer's keys.
        rules: What a token must say.
        algorithms: Which signatures are taken, of `ALGORITHMS`.
        clock: The present.
        metrics: Counts.
    """

    def __init__(
        self,
        keys: IssuerKeys,
        rules: ClaimRules,
        *,
        algorithms: Collection[str],
        clock: Clock,
        metrics: ApiMetrics,
    ) -> None:
        if not algorithms or not set(algorithms) <= ALGORITHMS:
            raise ValueError(f"algorithms: some of {', '.join(sorted(ALGORITHMS))}")
        self._keys = keys
        self._rules = rules
        self._algorithms = sorted(algorithms)
        self._clock = clock
        self._metrics = metrics

    async def check(self, token: str) -> Credential | None:
        """The credential that a token is, or `None` where it opens nothing.

        Raises:
            ProblemError: 503 where the issuer's keys are unknown and cannot be asked for.
        """
        try:
            found = await self._check(token)
        except Refused as refused:
            # The caller hears only that it is not valid; whoever runs this sees why.
            log.info("token refused", reason=str(refused))
            self._metrics.tokens.labels("refused").inc()
            return None
        except IssuerAway as error:
            self._metrics.tokens.labels("unknown").inc()
            raise ProblemError(
                503, "The issuer of the token does not answer.", headers={"Retry-After": "30"}
            ) from error
        self._metrics.tokens.labels("valid").inc()
        return found

    async def _check(self, token: str) -> Credential:
        header = _header(token)
        if header.get("alg") not in self._algorithms:
            raise Refused("alg: not one that is taken")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Refused("kid: missing")
        key = await self._keys.key(kid)
        if key is None:
            raise Refused("kid: the issuer has no such key")
        try:
            payload: object = json.loads(jws.deserialize_compact(token, key, algorithms=self._algorithms).payload)
        except (JoseError, ValueError) as error:
            raise Refused(f"signature: {type(error).__name__}") from error
        if not isinstance(payload, dict):
            raise Refused("payload: not an object")
        return credential(payload, self._rules, now=self._clock())


def _header(token: str) -> dict[str, object]:
    """The header of a compact JWS, not to be trusted yet."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST:
        raise Refused("token: not a compact JWS")
    try:
        header: object = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused("header: not JSON") from error
    if not isinstance(header, dict):
        raise Refused("header: not an object")
    return header
