"""Writes services/api/openapi.json: `python -m tests.services.api.openapi_document [--breaking]`.

A change that would break a client is refused unless `--breaking` says that it is meant.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.services.api.compatible import Comparison
from tests.services.api.fakes import World

DOCUMENT = Path(__file__).parents[3] / "services" / "api" / "openapi.json"


def generated() -> str:
    """The document of the API as it is."""
    return json.dumps(World().app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def known() -> dict[str, Any]:
    """The document that clients know."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return document


def main(options: list[str]) -> int:
    """Write the document; returns 1 where it would break a client."""
    text = generated()
    if DOCUMENT.exists() and "--breaking" not in options:
        breaks = Comparison(known(), json.loads(text)).breaks()
        if breaks:
            sys.stderr.write("\n".join([*breaks, "These break clients. If they are meant: ARGS=--breaking", ""]))
            return 1
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
