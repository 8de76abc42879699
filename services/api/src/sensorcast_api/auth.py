"""What a route asks of its caller: a role, and a scope that includes the route's resource."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from sensorcast_api.credential import Credential
from sensorcast_api.problems import ProblemError
from sensorcast_common.tables.api_keys import Role

REALM: Final = 'Bearer realm="sensorcast"'

PRINCIPAL: Final = "sensorcast.principal"
"""Where the gate leaves the caller in the ASGI scope."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request.

    Attributes:
        key: The credential it has shown.
    """

    key: Credential

    @property
    def tenant(self) -> str:
        """The only tenant this caller sees."""
        return self.key.tenant

    @property
    def name(self) -> str:
        """How the caller is named in histories: the name of the key, or its id where it has none."""
        return self.key.name or self.key.key_id


class Needs:
    """Lets a caller pass that has a role and whose scopes include the route's resource.

    Args:
        role: The least role.
    """

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Principal:
        """The caller.

        Raises:
            ProblemError: 403 where the role or the scopes do not suffice.
        """
        principal = request.scope.get(PRINCIPAL)
        if not isinstance(principal, Principal):
            raise TypeError("the gate lets nobody pass without a credential")
        held = principal.key
        if not held.role.includes(self.role):
            raise _insufficient(f"This needs the role {self.role.value}; the key has {held.role.value}.")
        resource = resource_of(request.scope.get("route"))
        if not held.opens(resource):
            raise _insufficient(f"The key's scopes do not include {resource}.")
        return principal


def resource_of(route: object) -> str:
    """The resource that a route belongs to: its tag, by which scopes name it."""
    if not isinstance(route, APIRoute) or not route.tags:
        raise TypeError("route: every route under /v1 has a tag")
    return str(route.tags[0])


def _insufficient(detail: str) -> ProblemError:
    return ProblemError(403, detail, headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'})


Viewer = Annotated[Principal, Depends(Needs(Role.VIEWER))]
"""A route's parameter: the caller, who may read."""

Operator = Annotated[Principal, Depends(Needs(Role.OPERATOR))]
"""A route's parameter: the caller, who may change what the tenant works with."""

Admin = Annotated[Principal, Depends(Needs(Role.ADMIN))]
"""A route's parameter: the caller, who may decide who gets in."""
