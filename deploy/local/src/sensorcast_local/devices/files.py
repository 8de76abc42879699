"""Where a device's certificate and key are written: never over others, and the key for its owner's eyes."""

import os
from dataclasses import dataclass
from pathlib import Path


class FileThere(Exception):  # noqa: N818 - names what is wrong
    """A file that would be written exists already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already; it is not overwritten")


@dataclass(frozen=True, slots=True)
class DeviceFiles:
    """The files of one device in a folder.

    Args:
        folder: Made when missing.
        tenant: Part of the names.
        device: Part of the names.
    """

    folder: Path
    tenant: str
    device: str

    @property
    def certificate(self) -> Path:
        """PEM of the client certificate."""
        return self.folder / f"{self.tenant}.{self.device}.crt"

    @property
    def key(self) -> Path:
        """PEM of its private key."""
        return self.folder / f"{self.tenant}.{self.device}.key"

    def require_free(self) -> None:
        """Make the folder.

        Raises:
            FileThere: One of the files exists.
        """
        for path in (self.certificate, self.key):
            if path.exists():
                raise FileThere(path)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, *, certificate: str | bytes, key: str | bytes) -> None:
        """Write both."""
        write_new(self.key, key, mode=0o600)
        write_new(self.certificate, certificate, mode=0o644)


def write_new(path: Path, content: str | bytes, *, mode: int) -> None:
    """Write a file that must not exist, with these permissions from its first byte on.

    Raises:
        FileThere: It exists.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise FileThere(path) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
