"""The production template is sound and fits the main one and `sensorcast_common.names`."""

from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from cfnlint.config import ManualArgs
from cfnlint.decode import decode

from sensorcast_common.names import Names

ROOT = Path(__file__).parents[3]
TEMPLATES = ("sensorcast-production.yaml", "sensorcast-alarms.yaml", "sensorcast-ecs.yaml")
LONGEST_BODY = 51_200  # bytes; a longer one must be uploaded to S3 before CloudFormation takes it

Resources = dict[str, dict[str, Any]]


def resources_of(name: str) -> Resources:
    template, problems = decode(str(ROOT / "deploy" / "aws" / name))
    assert template is not None
    assert not problems
    found: Resources = template["Resources"]
    return found


@pytest.fixture(scope="module")
def resources() -> Resources:
    return resources_of("sensorcast-production.yaml")


@pytest.fixture(scope="module")
def alarms() -> Resources:
    return of_type(resources_of("sensorcast-alarms.yaml"), "AWS::CloudWatch::Alarm")


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: entry["Properties"] for name, entry in resources.items() if entry["Type"] == kind}


def put_in(value: dict[str, Any] | str) -> str:
    """A name with the prefix put in."""
    return value if isinstance(value, str) else str(value["Fn::Sub"]).replace("${StackPrefix}", "other")


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    body = (ROOT / "deploy" / "aws" / name).read_text(encoding="utf-8")
    assert "cfn-lint" not in body, "no rule is switched off in the template"
    assert len(body.encode()) <= LONGEST_BODY
    matches = cfnlint.api.lint(body, config=ManualArgs(regions=["eu-central-1"]))
    assert [str(match) for match in matches] == []


def test_alarms_watch_every_queue_table_and_topic(alarms: Resources) -> None:
    names = Names("other")
    watched = {
        (alarm["MetricName"], put_in(dimension["Value"]))
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", [])
    }
    working = {*names.queues, names.queue_inbox}
    assert watched == {
        # Nobody takes from the quarantine, so its messages grow old; that it grows is what matters.
        *(("ApproximateAgeOfOldestMessage", queue) for queue in working - {names.queue_quarantine}),
        *(("ApproximateNumberOfMessagesVisible", names.dead_letter(queue)) for queue in working),
        ("NumberOfMessagesSent", names.queue_quarantine),
        *(("ReadThrottleEvents", table) for table in names.tables),
        *(("WriteThrottleEvents", table) for table in names.tables),
        ("NumberOfNotificationsFailed", names.topic_readings),
        ("NumberOfNotificationsFailed", names.topic_forecasts),
    }


def test_each_alarm_names_a_page_that_exists(alarms: Resources) -> None:
    for name, alarm in alarms.items():
        page = put_in(alarm["AlarmDescription"]).split()[-1]
        assert page.startswith("docs/runbooks/"), name
        assert (ROOT / page).is_file(), f"{name}: {page}"
        assert "AlarmActions" in alarm, name


def test_logs_do_not_live_for_ever(resources: Resources) -> None:
    logs = of_type(resources, "AWS::Logs::LogGroup")
    assert {put_in(log["LogGroupName"]) for log in logs.values()} == {
        f"/other/{service}" for service in ("ingest", "archiver", "forecaster", "alerter", "api")
    }
    assert all("RetentionInDays" in log for log in logs.values())


def test_a_device_may_publish_its_own_readings_and_nothing_else(resources: Resources) -> None:
    connect, publish = of_type(resources, "AWS::IoT::Policy")["DevicePolicy"]["PolicyDocument"]["Statement"]
    assert connect["Action"] == "iot:Connect"
    assert connect["Resource"]["Fn::Sub"].endswith(":client/${!iot:Connection.Thing.ThingName}")
    assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    assert publish["Action"] == "iot:Publish"
    attributes = (f"${{!iot:Connection.Thing.Attributes[{name}]}}" for name in ("tenant", "device"))
    assert publish["Resource"]["Fn::Sub"].endswith(f":topic/dt/{'/'.join(attributes)}/readings")


def test_roles_and_policies_name_their_actions_and_resources(resources: Resources) -> None:
    policies = [entry["PolicyDocument"] for entry in of_type(resources, "AWS::IoT::Policy").values()]
    for role in of_type(resources, "AWS::IAM::Role").values():
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        inline = [policy.get("Fn::If", [None, policy])[1] for policy in role.get("Policies", [])]
        policies += [policy["PolicyDocument"] for policy in inline]
    for policy in policies:
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert all("*" not in action for action in actions), statement
            assert statement["Resource"] != "*", statement
