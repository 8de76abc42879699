"""A release has one version, and a changelog that says what is in it."""

import datetime

import pytest
from requirements.release import ROOT, current, cut, newer, with_document_version, with_version

DATE = datetime.date(2026, 1, 2)


def test_what_was_unreleased_gets_version_and_date() -> None:
    before = "# Changelog\n\n## Unreleased\n\n### Added\n- A thing.\n\n## 0.1.0 - 2025-12-01\n- The first.\n"
    after = cut(before, version="0.2.0", date=DATE)
    assert after.startswith("# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-01-02\n\n### Added\n- A thing.\n")
    with pytest.raises(ValueError, match="nothing is unreleased"):
        cut(after, version="0.3.0", date=DATE)
    with pytest.raises(ValueError, match="there already"):
        cut(after, version="0.2.0", date=DATE)


def test_a_version_follows_by_number_and_not_by_letter() -> None:
    assert newer("0.10.0", "0.9.9")
    assert not newer("0.1.0", "0.1.0")
    with pytest.raises(ValueError, match=r"1\.2"):
        newer("1.2", "0.1.0")


def test_every_distribution_and_the_chart_have_one_version() -> None:
    files = [
        *ROOT.glob("libs/*/pyproject.toml"),
        *ROOT.glob("services/*/pyproject.toml"),
        ROOT / "deploy/local/pyproject.toml",
    ]
    assert len(files) > 7
    for path in files:
        assert f'version = "{current()}"' in path.read_text(encoding="utf-8"), path
    chart = (ROOT / "deploy/k8s/sensorcast/Chart.yaml").read_text(encoding="utf-8")
    for field in ("version", "appVersion"):
        assert f"{field}: {current()}\n" in chart
        assert f"{field}: 9.8.7\n" in with_version(chart, field=field, version="9.8.7")
    document = (ROOT / "services/api/openapi.json").read_text(encoding="utf-8")
    assert with_document_version(document, version=current()) == document
    assert '"version": "9.8.7"' in with_document_version(document, version="9.8.7")
