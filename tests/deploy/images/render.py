"""`make dockerfiles`: renders the Dockerfiles from their template and what they differ in."""

import sys
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml

ROOT: Final = Path(__file__).parents[3]
SOURCES: Final = ROOT / "deploy" / "images"
OPS_PORT: Final = "9090"


def rendered() -> dict[Path, str]:
    """The Dockerfiles as they should be, by their paths.

    Raises:
        jinja2.UndefinedError: An image lacks what the template asks for.
    """
    facts: dict[str, Any] = yaml.safe_load((SOURCES / "images.yaml").read_text(encoding="utf-8"))
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True).from_string(
        (SOURCES / "Dockerfile.jinja").read_text(encoding="utf-8")
    )
    found = {}
    for name, image in facts.pop("images").items():
        values = _complete(name, image)
        found[ROOT / values["folder"] / "Dockerfile"] = template.render(facts | values)
    return found


def _complete(name: str, image: dict[str, Any]) -> dict[str, Any]:
    """What the template takes: the image's own facts over those that most share."""
    distributions = distributions_of(name)
    whole = {
        "name": name,
        "folder": f"services/{name}",
        "command": f"sensorcast-{name}",
        "distributions": distributions,
        "page": None,
        "packages": [],
        "data": None,
        "ops_port": OPS_PORT,
        "ports": [],
        "env": {},
        **image,
        "sources": [*distributions, *image.get("sources", [])],
    }
    if whole["ops_port"]:
        whole["env"] = {"SENSORCAST_OPS_HOST": "0.0.0.0", "SENSORCAST_OPS_PORT": whole["ops_port"], **whole["env"]}
        whole["ports"] = [*whole["ports"], whole["ops_port"]]
    return whole


def distributions_of(name: str) -> list[str]:
    """Folders of the distributions that an image holds, as its requirements name them."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("-e ../").partition("[")[0] for line in lines if line.startswith("-e ../")]


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: rendered\n")
