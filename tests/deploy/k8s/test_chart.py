"""The chart is sound by Helm's, Kubernetes' and its own tests; skipped where Helm could not be built."""

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.deploy.k8s import helm, operators

from sensorcast_alerter.settings import AlerterSettings
from sensorcast_api.settings import ApiSettings
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.names import Names
from sensorcast_common.settings import ServiceSettings
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_ingest.settings import IngestSettings

pytestmark = pytest.mark.skipif(
    helm.find() is None or helm.find("helm-unittest") is None, reason="helm is not built: it needs Go 1.26 or later"
)

SETTINGS: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "archiver": ArchiverSettings,
    "forecaster": ForecasterSettings,
    "alerter": AlerterSettings,
    "api": ApiSettings,
}
SCHEMAS = ("1.30", kubernetes_validate.latest_version())
OPERATORS = ("keda.sh/", "monitoring.coreos.com/")
"""API groups that clusters learn from operators; Kubernetes' own schemas do not know them."""

Object = dict[str, Any]


def objects(values: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(helm.template(values)) if each]


@pytest.fixture(params=helm.SCENARIOS, ids=lambda path: path.name.removesuffix("-values.yaml"))
def scenario(request: pytest.FixtureRequest) -> list[Object]:
    return objects(request.param)


def test_helm_lint_finds_nothing() -> None:
    for values in helm.SCENARIOS:
        helm.run("lint", "--strict", "--kube-version", helm.OLDEST, str(helm.CHART), "--values", str(values))


def test_the_charts_own_tests_pass() -> None:
    printed = helm.run("--strict", "--file", "tests/*_test.yaml", str(helm.CHART), program="helm-unittest")
    assert "0 total" not in printed.split("Tests:")[1].splitlines()[0]


def test_every_object_is_valid_in_every_supported_kubernetes() -> None:
    seen = set()
    for each in [each for values in helm.SCENARIOS for each in objects(values)]:
        # One of a kind and shape is enough: five services differ in names and numbers.
        shape = json.dumps(_shape(each), sort_keys=True)
        if each["apiVersion"].startswith(OPERATORS) or shape in seen:
            continue
        seen.add(shape)
        for version in SCHEMAS:
            kubernetes_validate.validate(each, version, strict=True)
    assert len(seen) > 20


@pytest.mark.skipif(operators.go() is None, reason="Go is not installed; it brings the operators' definitions")
def test_every_object_of_an_operator_is_valid_by_its_definition(scenario: list[Object]) -> None:
    of_operators = [each for each in scenario if each["apiVersion"].startswith(OPERATORS)]
    assert [(each["kind"], found) for each in of_operators if (found := operators.problems(each))] == []


@pytest.mark.skipif(operators.go() is None, reason="Go is not installed; it brings the operators' definitions")
def test_a_field_that_an_operator_does_not_know_is_found() -> None:
    made = objects(helm.CHART / "ci" / "production-values.yaml")
    kinds = {each["kind"]: each for each in made if each["apiVersion"].startswith(OPERATORS)}
    assert set(kinds) == {"ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PrometheusRule"}
    for each in kinds.values():
        misspelt = {**each, "spec": {**each["spec"], "pollInterval": 1}}
        assert operators.problems(misspelt), each["kind"]


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(each) for key, each in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else type(value).__name__


def test_nothing_is_rendered_twice(scenario: list[Object]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in scenario]
    assert len(names) == len(set(names))


def test_a_service_is_told_only_what_it_knows(scenario: list[Object]) -> None:
    for each in scenario:
        component = each["metadata"]["labels"].get("app.kubernetes.io/component")
        if each["kind"] != "ConfigMap" or component not in SETTINGS:
            continue
        fields = SETTINGS[component].model_fields
        for key in each["data"]:
            if key.startswith("SENSORCAST_"):
                name = key.removeprefix("SENSORCAST_").lower()
                assert name in fields or name.removesuffix("_file") in fields, f"{component}: {key}"


def test_pods_are_restricted_and_end_after_their_drain(scenario: list[Object]) -> None:
    drains = {
        each["metadata"]["name"]: float(each["data"]["SENSORCAST_DRAIN_SECONDS"])
        for each in scenario
        if each["kind"] == "ConfigMap" and "SENSORCAST_DRAIN_SECONDS" in each["data"]
    }
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in scenario
        if "template" in each.get("spec", {})
    }
    assert set(drains) <= set(pods)
    for name, pod in pods.items():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]
        assert pod["terminationGracePeriodSeconds"] > drains.get(name, 0) + 4


def test_helm_test_asks_every_service_in_a_pod_that_pod_security_lets_in() -> None:
    values = helm.CHART / "ci" / "production-values.yaml"
    where = ("--kube-version", helm.OLDEST, "--show-only", "templates/tests/ready.yaml")
    pod = yaml.safe_load(helm.run("template", "sensorcast", str(helm.CHART), "--values", str(values), *where))
    kubernetes_validate.validate(pod, SCHEMAS[0], strict=True)
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert {f"sensorcast-{service}" for service in SETTINGS} <= set(container["command"])


def test_scalers_look_at_the_services_own_queues() -> None:
    names = Names()
    found = {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: {
            trigger["metadata"]["queueURL"].rpartition("/")[2] for trigger in each["spec"]["triggers"]
        }
        for each in objects(helm.CHART / "ci" / "production-values.yaml")
        if each["kind"] == "ScaledObject"
    }
    assert found == {
        "archiver": {names.queue_archive},
        "forecaster": {names.queue_forecast_ticks, names.queue_forecast_jobs, names.queue_model_jobs},
        "alerter": {names.queue_watch},
    }


def test_the_plain_manifests_are_those_of_the_chart() -> None:
    kept = (helm.MANIFESTS / "sensorcast.yaml").read_text(encoding="utf-8")
    assert kept == helm.plain(), "render them anew: make manifests"
    namespace = yaml.safe_load((helm.MANIFESTS / "namespace.yaml").read_text(encoding="utf-8"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
