"""`make release ARGS=0.2.0`: one version for everything, its changelog, and what is handed out in dist/.

Takes a clean checkout. Sets the version of every distribution, of the chart and of the API's document, dates the
changelog's Unreleased part, renders the manifests, commits and tags; then builds wheels, the packaged chart and one
SBOM (CycloneDX) per image from its lock file. Nothing is uploaded.
"""

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
IMAGES = ("ingest", "archiver", "forecaster", "alerter", "api", "local")
PAGE = ROOT / "services/api/src/sensorcast_api/page/index.html"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
UNRELEASED = "## Unreleased\n"


def cut(changelog: str, *, version: str, date: datetime.date) -> str:
    """The changelog with its Unreleased part under a version, and an empty one above.

    Raises:
        ValueError: Nothing is unreleased, or the version is there already.
    """
    if f"## {version} " in changelog:
        raise ValueError(f"CHANGELOG.md: {version} is there already")
    _, found, rest = changelog.partition(UNRELEASED)
    entries = rest.partition("\n## ")[0]
    if not found or not re.search(r"^- ", entries, re.MULTILINE):
        raise ValueError("CHANGELOG.md: nothing is unreleased")
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n## {version} - {date.isoformat()}\n", 1)


def with_version(text: str, *, field: str, version: str) -> str:
    """A pyproject.toml or Chart.yaml with another version in its first `field`.

    Raises:
        ValueError: It has no such field.
    """
    changed, count = re.subn(
        rf'^({field}\s*[:=]\s*"?)\d+\.\d+\.\d+', rf"\g<1>{version}", text, count=1, flags=re.MULTILINE
    )
    if count != 1:
        raise ValueError(f"{field}: not found")
    return changed


def with_document_version(document: str, *, version: str) -> str:
    """The API's document (OpenAPI, JSON) with another version, written as it is kept."""
    whole = json.loads(document)
    whole["info"]["version"] = version
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def newer(version: str, than: str) -> bool:
    """Tell whether a version follows another.

    Raises:
        ValueError: One of them is not three numbers.
    """
    numbers = []
    for each in (version, than):
        if VERSION.fullmatch(each) is None:
            raise ValueError(f"{each!r} is not a version such as 1.2.3")
        numbers.append(tuple(int(part) for part in each.split(".")))
    return numbers[0] > numbers[1]


def current() -> str:
    """The version of the common library, which all share."""
    found = re.search(
        r'^version = "(.+)"', (ROOT / "libs/common/pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise ValueError("libs/common/pyproject.toml: version not found")
    return found[1]


def set_versions(version: str, *, date: datetime.date) -> None:
    """Write the version into every file that carries it."""
    for path in (
        *ROOT.glob("libs/*/pyproject.toml"),
        *ROOT.glob("services/*/pyproject.toml"),
        ROOT / "deploy/local/pyproject.toml",
    ):
        path.write_text(
            with_version(path.read_text(encoding="utf-8"), field="version", version=version), encoding="utf-8"
        )
    chart = ROOT / "deploy/k8s/sensorcast/Chart.yaml"
    text = with_version(chart.read_text(encoding="utf-8"), field="version", version=version)
    chart.write_text(with_version(text, field="appVersion", version=version), encoding="utf-8")
    document = ROOT / "services/api/openapi.json"
    document.write_text(with_document_version(document.read_text(encoding="utf-8"), version=version), encoding="utf-8")
    changelog = ROOT / "CHANGELOG.md"
    changelog.write_text(cut(changelog.read_text(encoding="utf-8"), version=version, date=date), encoding="utf-8")
    run(sys.executable, "-m", "tests.deploy.k8s.render")


def build() -> None:
    """Fill dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    (DIST / "sbom").mkdir(parents=True)
    here = Path(sys.executable).parent
    parts = [
        *sorted(ROOT.glob("libs/*/pyproject.toml")),
        *sorted(ROOT.glob("services/*/pyproject.toml")),
        ROOT / "deploy/local/pyproject.toml",
    ]
    for part in parts:
        run(
            str(here / "uv"),
            "build",
            "--quiet",
            "--wheel",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            str(DIST),
            str(part.parent),
        )
    run(str(ROOT / ".tools/bin/helm"), "package", "deploy/k8s/sensorcast", "--destination", str(DIST))
    for image in IMAGES:
        target = DIST / "sbom" / f"{image}.cdx.json"
        run(
            str(here / "cyclonedx-py"),
            "requirements",
            f"requirements/{image}.txt",
            "--pyproject",
            "deploy/local/pyproject.toml" if image == "local" else f"services/{image}/pyproject.toml",
            "--output-reproducible",
            "--of",
            "JSON",
            "-o",
            str(target),
        )


def run(*command: str) -> None:
    """Run in the repository; a failure ends the release."""
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    """Make a release, or only dist/ of what is checked out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", help="such as 0.2.0; left out, only dist/ is built")
    options = parser.parse_args()
    if not PAGE.exists():
        sys.exit("the page is not built, and would be missing from the API's wheel: make web, with Node.js")
    if options.version is not None:
        if not newer(options.version, current()):
            sys.exit(f"{options.version} does not follow {current()}")
        if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True).stdout:
            sys.exit("the checkout has changes: commit them first")
        set_versions(options.version, date=datetime.datetime.now(datetime.UTC).date())
        run("git", "commit", "--quiet", "--all", "--message", f"Release {options.version}")
        run("git", "tag", "--annotate", f"v{options.version}", "--message", f"Sensorcast {options.version}")
    build()
    sys.stdout.write(
        "\n".join(sorted(str(path.relative_to(ROOT)) for path in DIST.rglob("*") if path.is_file())) + "\n"
    )


if __name__ == "__main__":
    main()
