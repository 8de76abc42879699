"""Runs Helm as `make helm` has built it."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
CHART: Final = ROOT / "deploy" / "k8s" / "sensorcast"
MANIFESTS: Final = ROOT / "deploy" / "k8s" / "manifests"
SCENARIOS: Final = sorted((CHART / "ci").glob("*-values.yaml"))
OLDEST: Final = "1.30.0"
"""The oldest Kubernetes that the chart says it runs on."""


def find(name: str = "helm") -> str | None:
    """Where `helm` or `helm-unittest` is; `None` where Go could not build it."""
    built = ROOT / ".tools" / "bin" / name
    return str(built) if built.is_file() else shutil.which(name)


def run(*arguments: str, program: str = "helm") -> str:
    """What the command prints.

    Raises:
        RuntimeError: It failed; the message carries what it printed.
    """
    path = find(program)
    if path is None:
        raise RuntimeError(f"{program} is not installed: make helm")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


@cache
def template(values: Path, *, kubernetes: str = OLDEST) -> str:
    """The chart's objects with these values, as YAML documents."""
    where = ("--namespace", "sensorcast", "--kube-version", kubernetes, "--skip-tests")
    return run("template", "sensorcast", str(CHART), "--values", str(values), *where)


def plain() -> str:
    """The plain manifests as they should be."""
    head = "# Rendered from the chart by `make manifests`; values.yaml beside this file says with what.\n"
    return head + template(MANIFESTS / "values.yaml")
