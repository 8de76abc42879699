"""The page's types say only what the API's document says."""

import re
from typing import cast

from tests.services.api.fakes import World
from tests.services.api.page.browser import WEB

TYPES = WEB / "src/api/types.ts"


def interfaces() -> dict[str, tuple[str | None, set[str]]]:
    """By name the interface that is extended, and the fields."""
    text = TYPES.read_text(encoding="utf-8")
    found = re.findall(r"export interface (\w+)(?: extends ([\w<>]+))? \{\n(.*?)\n\}", text, re.DOTALL)
    return {name: (base or None, set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))) for name, base, body in found}


def test_every_field_that_the_page_reads_is_in_the_document(world: World) -> None:
    schemas = cast("dict[str, dict[str, dict[str, object]]]", world.app.openapi()["components"]["schemas"])
    checked = 0
    for name, (_, fields) in interfaces().items():
        if name in schemas:
            checked += 1
            assert fields <= schemas[name]["properties"].keys(), name
    assert checked >= 12
