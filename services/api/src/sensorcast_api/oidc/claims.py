"""From the claims of a token to a credential. No I/O: the signature has been checked before."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sensorcast_api.credential import Credential
from sensorcast_common.clock import from_millis
from sensorcast_common.names import is_name
from sensorcast_common.tables.api_keys import Role

_ID_DIGITS: Final = 16
_NAMES: Final = ("name", "preferred_username", "cognito:username", "username", "email", "sub")
_LONGEST_NAME: Final = 80


class Refused(Exception):  # noqa: N818 - a verdict on the token, not a fault
    """The token opens nothing here; the message says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """What a token must say.

    Attributes:
        issuer: Who must have made it (`iss`).
        audiences: For whom it must have been made: one of these is in `aud`, or is the `client_id` of an access token
            of Amazon Cognito, which has no `aud`.
        tenant_claim: Which claim names the tenant.
        role_claim: Which claim names the role, or a list of groups.
        roles: What its values mean; by default the roles' own names.
        leeway_seconds: How far the clocks may differ.
    """

    issuer: str
    audiences: frozenset[str]
    tenant_claim: str = "tenant"
    role_claim: str = "role"
    roles: Mapping[str, Role] = field(default_factory=lambda: {role.value: role for role in Role})
    leeway_seconds: int = 60


def credential(claims: Mapping[str, object], rules: ClaimRules, *, now: int) -> Credential:
    """The credential that a token is.

    Args:
        claims: Of a token whose signature is good.
        rules: What it must say.
        now: Milliseconds since 1970 UTC.

    Raises:
        Refused: It does not.
    """
    if claims.get("iss") != rules.issuer:
        raise Refused("iss: another issuer")
    audiences = set(_texts(claims.get("aud"))) if "aud" in claims else set(_texts(claims.get("client_id")))
    if not audiences & rules.audiences:
        raise Refused("aud: made for somebody else")
    seconds, leeway = now / 1000, rules.leeway_seconds
    expires = _time(claims, "exp")
    if expires is None:
        raise Refused("exp: missing")
    if seconds >= expires + leeway:
        raise Refused("exp: expired")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and seconds < begins - leeway:
            raise Refused(f"{name}: not valid yet")
    tenant = claims.get(rules.tenant_claim)
    if not isinstance(tenant, str) or not is_name(tenant):
        raise Refused(f"{rules.tenant_claim}: names no tenant")
    held = [rules.roles[text] for text in _texts(claims.get(rules.role_claim)) if text in rules.roles]
    if not held:
        raise Refused(f"{rules.role_claim}: names no role")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise Refused("sub: missing")
    return Credential(
        key_id="oidc-" + hashlib.sha256(f"{rules.issuer}\n{subject}".encode()).hexdigest()[:_ID_DIGITS],
        tenant=tenant,
        role=max(held, key=list(Role).index),
        name=_name(claims),
        expires_at=from_millis(round((expires + leeway) * 1000)),
    )


def _time(claims: Mapping[str, object], name: str) -> float | None:
    """A NumericDate (RFC 7519, section 2).

    Raises:
        Refused: It is none.
    """
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise Refused(f"{name}: not a time")
    return float(value)


def _texts(value: object) -> Iterable[str]:
    """One text or several; a text may hold several that are separated by spaces, as in `scope`."""
    if isinstance(value, str):
        return {value, *value.split()}
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _name(claims: Mapping[str, object]) -> str:
    for name in _NAMES:
        value = claims.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:_LONGEST_NAME]
    return ""
