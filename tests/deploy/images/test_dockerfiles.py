"""The Dockerfiles keep what the deployment counts on; `make check-images` carries out their steps."""

import re
from pathlib import Path

import pytest
import yaml
from tests.deploy.images.dockerfile import Stage, read
from tests.deploy.images.render import rendered

ROOT = Path(__file__).parents[3]
SERVICES = ("ingest", "archiver", "forecaster", "alerter", "api")
DOCKERFILES = [
    *(ROOT / "services" / name / "Dockerfile" for name in SERVICES),
    ROOT / "deploy" / "local" / "Dockerfile",
]
PINNED = re.compile(r"(python|node):\d+\.\d+\.\d+-\S*slim\S*")
NO_SHELL = ("HEALTHCHECK", "ENTRYPOINT")


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.parent.name)
def dockerfile(request: pytest.FixtureRequest) -> tuple[Path, list[Stage]]:
    path: Path = request.param
    return path, read(path)


def test_each_base_is_slim_and_of_a_pinned_version(dockerfile: tuple[Path, list[Stage]]) -> None:
    _, stages = dockerfile
    assert len(stages) >= 2
    assert all(PINNED.fullmatch(stage.base) for stage in stages), [stage.base for stage in stages]


def test_what_is_installed_is_checked_against_hashes(dockerfile: tuple[Path, list[Stage]]) -> None:
    path, stages = dockerfile
    lock = ROOT / "requirements" / f"{path.parent.name}.txt"
    installs = [
        part
        for stage in stages
        for each in stage.instructions
        if each.name == "RUN"
        for part in each.text.split("&&")
        if "pip" in part and " install " in part
    ]
    assert any(lock.name in install for install in installs)
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install
    body = lock.read_text(encoding="utf-8")
    assert "--hash=sha256:" in body
    assert "://" not in re.sub(r"#.*", "", body), "a lock file names no index"


def test_the_dockerfiles_are_those_of_the_template() -> None:
    wanted = rendered()
    assert set(wanted) == set(DOCKERFILES)
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, "render them anew: make dockerfiles"


def test_the_last_stage_runs_as_nobody_without_a_shell(dockerfile: tuple[Path, list[Stage]]) -> None:
    _, stages = dockerfile
    last = stages[-1]
    user, _, group = last.last("USER").text.partition(":")
    assert user == group == "65532"
    for each in last.instructions:
        if each.name in NO_SHELL:
            assert each.text.removeprefix("NONE").partition("CMD ")[2].startswith("[") or each.text.startswith("[")
    labels = last.pairs("LABEL")
    assert {
        f"org.opencontainers.image.{key}" for key in ("title", "description", "licenses", "version", "revision")
    } == set(labels)
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_a_service_asks_its_own_ops_port_whether_it_is_alive() -> None:
    for name in SERVICES:
        last = read(ROOT / "services" / name / "Dockerfile")[-1]
        port = last.pairs("ENV")["SENSORCAST_OPS_PORT"]
        assert last.last("HEALTHCHECK").text.endswith(f'"-m", "sensorcast_common.probe", "{port}"]')
        assert port in last.last("EXPOSE").words()
        assert last.last("ENTRYPOINT").words() == [f"/opt/sensorcast/bin/sensorcast-{name}"]


def test_compose_runs_every_image_read_only_and_without_privileges() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    built = {ROOT / entry["build"]["dockerfile"] for entry in services.values() if "build" in entry}
    assert built == set(DOCKERFILES)
    ports = [entry["environment"]["SENSORCAST_OPS_PORT"] for name, entry in services.items() if name in SERVICES]
    assert len(set(ports)) == len(SERVICES), "they share one network namespace"
    for name, entry in services.items():
        assert entry["read_only"] is True, name
        assert entry["cap_drop"] == ["ALL"], name
        assert entry["security_opt"] == ["no-new-privileges:true"], name
        if name in SERVICES:
            assert entry["healthcheck"]["test"][-1] == entry["environment"]["SENSORCAST_OPS_PORT"], name
        elif "image" in entry and not entry["image"].startswith("sensorcast/"):
            assert re.fullmatch(r"\S+:\d+\.\d+\.\d+", entry["image"]), "pinned by version"
