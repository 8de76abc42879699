"""API keys and tokens behind one question: who is this?"""

from sensorcast_api.credential import Credential
from sensorcast_api.keyring import KeyRing
from sensorcast_api.oidc.tokens import Tokens
from sensorcast_common.clock import Clock
from sensorcast_common.tables.api_keys import PREFIX


class AnyCredential:
    """Checks what a caller shows.

    Args:
        keys: For API keys.
        tokens: For bearer tokens; `None` where no issuer is configured.
        clock: The present.
    """

    def __init__(self, keys: KeyRing, tokens: Tokens | None, *, clock: Clock) -> None:
        self.keys = keys
        self._tokens = tokens
        self._clock = clock

    async def check(self, secret: str) -> Credential | None:
        """The credential, or `None` where it opens nothing.

        Raises:
            ProblemError: That cannot be told now.
        """
        if secret.startswith(PREFIX) or self._tokens is None:
            return await self.keys.check(secret)
        return await self._tokens.check(secret)

    async def still_opens(self, credential: Credential) -> bool:
        """Tell whether a credential that was good is still good: a key may be revoked, a token only expires."""
        if credential.key_hash is None:
            return credential.is_valid(self._clock())
        found = await self.keys.recheck(credential.key_hash)
        return found is not None and found.tenant == credential.tenant
