"""Every operation of the OpenAPI document as a request that is made of the document's own examples."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

_ORDER: Final = ("get", "post", "patch", "delete", "put")
"""What only looks goes first, what makes something last."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        method: In capital letters.
        template: Its path, with names in braces.
        things: What it asks for by name in its path, with the examples' names.
        query: What it asks for in its query: whatever is required, and a device wherever one can be named.
        body: An example; `None` where nothing is sent.
    """

    method: str
    template: str
    things: Mapping[str, str]
    query: Mapping[str, str]
    body: object

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def names_something(self) -> bool:
        """Whether it asks for one thing of a tenant."""
        return bool(self.things) or "device" in self.query

    def of(self, **names: str) -> "Operation":
        """The same with other names, where it has any such."""
        query = {name: names.get(name, value) for name, value in self.query.items()}
        return replace(self, things={name: names.get(name, value) for name, value in self.things.items()}, query=query)

    async def send(self, client: httpx.AsyncClient, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send it."""
        path = self.template.format(**self.things)
        return await client.request(self.method, path, params=self.query, json=self.body, headers=headers)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All of them.

    Raises:
        KeyError: One has no example of something that it needs.
    """
    found = [
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return sorted(found, key=lambda each: _ORDER.index(each.method.lower()))


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> Operation:
    parameters = operation.get("parameters", [])
    return Operation(
        method=method.upper(),
        template=path,
        things={each["name"]: _example(each) for each in parameters if each["in"] == "path"},
        query={
            each["name"]: _example(each)
            for each in parameters
            if each["in"] == "query" and (each["required"] or each["name"] == "device")
        },
        body=_body(document, operation),
    )


def _example(parameter: Mapping[str, Any]) -> str:
    example = parameter["schema"]["examples"][0]
    return str(example[0] if isinstance(example, list) else example)


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> object:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"].get("anyOf", [content["schema"]])[0]
    name = schema["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]
