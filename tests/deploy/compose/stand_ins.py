"""Images that stand for the base images where no registry can be reached, made of Debian's packages.

They have the base images' names in a store of their own (`engine`). Each is Debian bookworm as small as the slim images
are, so that a library which those lack is missed here too. Python is Debian's, of the same minor version; Node.js is
this machine's; Mosquitto is Debian's, with the user, folders and command of its image.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.deploy.compose.engine import Engine

_DEBIAN: Final = "stand-in/debian:bookworm"
_PATH: Final = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_OURS: Final = (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"), Path.home() / ".npmrc")
"""How this machine reaches package registries; this runs as root, whose home is the same in the images."""

_PYTHON: Final = f"""FROM {_DEBIAN}
RUN apt-get -qq update && apt-get -qq install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
CMD ["python3"]
"""
_NODE: Final = f"""FROM {_DEBIAN}
COPY bin/ /usr/local/bin/
COPY lib/ /usr/local/lib/
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
"""
_MOSQUITTO: Final = f"""FROM {_DEBIAN}
RUN groupadd --system --gid 1883 mosquitto && useradd --system --uid 1883 --gid 1883 --no-create-home mosquitto \
    && apt-get -qq update && apt-get -qq install --yes --no-install-recommends mosquitto \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /mosquitto/config /mosquitto/data /mosquitto/log && chown -R 1883:1883 /mosquitto
VOLUME ["/mosquitto/data", "/mosquitto/log"]
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
"""


def make(engine: Engine, images: set[str]) -> None:
    """Make what stands for these images, if the store does not have them.

    Args:
        engine: Where they are put.
        images: Names with tags, such as `python:3.11.14-slim-bookworm`.

    Raises:
        ValueError: Nothing is known that could stand for an image.
        CommandFailed: An image could not be made.
    """
    for image in sorted(images):
        if engine.succeeds("image", "inspect", image):
            continue
        if not engine.succeeds("image", "inspect", _DEBIAN):
            _make_debian(engine)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "Dockerfile").write_text(_dockerfile(image, Path(folder)), encoding="utf-8")
            engine.docker("build", "--tag", image, folder)


def _dockerfile(image: str, folder: Path) -> str:
    match image.partition(":")[0]:
        case "python":
            return _PYTHON
        case "node":
            _lay_node(folder)
            return _NODE
        case "eclipse-mosquitto":
            return _MOSQUITTO
    raise ValueError(f"{image}: nothing stands for it")


def _make_debian(engine: Engine) -> None:
    """Import Debian's smallest system, with this machine's way to package registries."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates,netbase,tzdata"]
        command += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
        command += [f"--customize-hook=copy-in {place} {place.parent}" for place in _OURS if place.is_file()]
        command += ["bookworm", str(folder / "debian.tar")]
        sources = "".join(path.read_text(encoding="utf-8") for path in _sources())
        subprocess.run(command, check=True, input=sources.encode(), capture_output=True)
        engine.docker("import", "--change", _PATH, str(folder / "debian.tar"), _DEBIAN)


def _sources() -> list[Path]:
    lists = Path("/etc/apt")
    found = [lists / "sources.list.d" / "debian.sources", lists / "sources.list"]
    return [path for path in found if path.is_file()][:1]


def _lay_node(folder: Path) -> None:
    """Copy this machine's Node.js and npm as its image has them."""
    node = shutil.which("node")
    if node is None:
        raise ValueError("node: not on the PATH; it builds the page")
    home = Path(node).resolve().parents[1]
    (folder / "bin").mkdir()
    shutil.copy2(Path(node).resolve(), folder / "bin" / "node")
    shutil.copytree(home / "lib" / "node_modules" / "npm", folder / "lib" / "node_modules" / "npm", symlinks=True)
    (folder / "bin" / "npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
