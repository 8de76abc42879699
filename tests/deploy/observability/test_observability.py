"""Alert rules and dashboards ask for metrics that exist, and every alert has a page that says what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from faststream_sqs.prometheus import SQSPrometheusMiddleware
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_api.metrics import ApiMetrics
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_forecaster.metrics import ForecasterMetrics
from sensorcast_forecaster.scoring.measure import ScoringMetrics
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_ingest.metrics import IngestMetrics

ROOT: Final = Path(__file__).parents[3]
FILES: Final = ROOT / "deploy" / "k8s" / "sensorcast" / "files"
DASHBOARDS: Final = sorted((FILES / "dashboards").glob("*.json"))
METRICS: Final = (
    AlerterMetrics,
    ApiMetrics,
    ArchiverMetrics,
    ForecasterMetrics,
    ScoringMetrics,
    TrainingMetrics,
    IngestMetrics,
)
SERVICES: Final = ("ingest", "ingest_inbox", "archiver", "forecaster", "alerter", "api")
NAME: Final = re.compile(r"\bsensorcast_\w+")
PATTERN: Final = re.compile(r'__name__=~"([^"]+)"')


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """The name of every time series that a service shows."""
    registry = CollectorRegistry()
    for metrics in METRICS:
        metrics(registry)
    for service in SERVICES:
        SQSPrometheusMiddleware(registry=registry, app_name=service, metrics_prefix=f"sensorcast_{service}_queue")
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {metric.name + ending for metric in registry.collect() for ending in endings[metric.type]}


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FILES / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def unknown(expression: str, exported: set[str]) -> set[str]:
    """What an expression asks for and nobody shows."""
    patterns = set(PATTERN.findall(expression))
    names = set(NAME.findall(PATTERN.sub("", expression)))
    unmatched = {each for each in patterns if not any(re.fullmatch(each, name) for name in exported)}
    return (names - exported) | unmatched


def test_rules_ask_for_metrics_that_exist(rules: list[dict[str, Any]], exported: set[str]) -> None:
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert not unknown(rule["expr"], exported), rule["alert"]
    assert unknown("rate(sensorcast_ingest_nothing_total[5m])", exported)


def test_each_alert_has_a_page_and_each_page_is_listed(rules: list[dict[str, Any]]) -> None:
    index = (ROOT / "docs" / "runbooks" / "README.md").read_text(encoding="utf-8")
    for rule in rules:
        page = ROOT / rule["annotations"]["runbook"]
        assert page.is_file(), rule["alert"]
        assert f"({page.name})" in index
        assert rule["labels"]["severity"] in {"critical", "warning"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_ask_for_metrics_that_exist(path: Path, exported: set[str]) -> None:
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    assert dashboard["uid"] == f"sensorcast-{path.stem}"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert len(expressions(dashboard)) > 5
    for expression in expressions(dashboard):
        assert not unknown(expression, exported), expression


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: package prometheus)")
def test_promtool_accepts_the_rules_and_the_dashboards_queries(tmp_path: Path) -> None:
    queries = [query for path in DASHBOARDS for query in expressions(json.loads(path.read_text(encoding="utf-8")))]
    recorded = [{"record": f"panel_{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    shutil.copy(FILES / "rules.yaml", tmp_path)
    shutil.copy(Path(__file__).with_name("rules_test.yaml"), tmp_path)
    for command in (
        ["check", "rules", "--lint-fatal", "rules.yaml", "panels.yaml"],
        ["test", "rules", "rules_test.yaml"],
    ):
        done = subprocess.run(["promtool", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
