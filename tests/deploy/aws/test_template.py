"""The template is sound, and its names are those of `sensorcast_common.names`."""

from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from cfnlint.config import ManualArgs
from cfnlint.decode import decode

from sensorcast_common.names import Names
from sensorcast_local.stack import template_body

TEMPLATE = Path(__file__).parents[3] / "deploy" / "aws" / "sensorcast.yaml"
LONGEST_BODY = 51_200  # bytes; a longer one must be uploaded to S3 before CloudFormation takes it
SERVICES = ("Ingest", "Archiver", "Forecaster", "Alerter", "Api", "LakeReader")


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    template, problems = decode(str(TEMPLATE))
    assert template is not None
    assert not problems
    found: dict[str, dict[str, Any]] = template["Resources"]
    return found


def of_type(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {name: entry["Properties"] for name, entry in resources.items() if entry["Type"] == kind}


def named(value: object, prefix: str) -> str:
    """A name property with the prefix put in."""
    if isinstance(value, dict):
        value = value["Fn::Sub"] if "Fn::Sub" in value else "${" + value["Ref"] + "}"
    assert isinstance(value, str)
    return value.replace("${StackPrefix}", prefix)


def test_cfn_lint_finds_nothing() -> None:
    body = TEMPLATE.read_text(encoding="utf-8")
    assert "cfn-lint" not in body, "no rule is switched off in the template"
    matches = cfnlint.api.lint(body, config=ManualArgs(regions=["eu-central-1", "us-east-1"]))
    assert [str(match) for match in matches] == []


def test_it_can_be_deployed_without_uploading_it_first() -> None:
    assert len(template_body().encode()) <= LONGEST_BODY
    assert template_body() == TEMPLATE.read_text(encoding="utf-8")


def test_names_are_those_of_the_common_library(resources: dict[str, dict[str, Any]]) -> None:
    names = Names("other")

    def all_of(kind: str, field: str) -> set[str]:
        return {named(properties[field], "other") for properties in of_type(resources, kind).values()}

    assert all_of("AWS::SNS::Topic", "TopicName") == {names.topic_readings, names.topic_forecasts}
    assert all_of("AWS::SQS::Queue", "QueueName") == {
        *names.queues,
        *(names.dead_letter(queue) for queue in names.queues),
    }
    assert all_of("AWS::DynamoDB::Table", "TableName") == set(names.tables)
    assert all_of("AWS::S3Tables::TableBucket", "TableBucketName") == {names.table_bucket}
    assert all_of("AWS::S3Tables::Namespace", "Namespace") == {names.lake_namespace}
    assert all_of("AWS::S3Tables::Table", "Namespace") == {names.lake_namespace}
    assert all_of("AWS::S3Tables::Table", "TableName") == {names.lake_readings, names.lake_forecasts}
    assert all_of("AWS::Athena::WorkGroup", "Name") == {names.athena_workgroup}
    assert all_of("AWS::Scheduler::ScheduleGroup", "Name") == {names.schedule_group}
    assert all_of("AWS::Scheduler::Schedule", "Name") == {
        names.schedule_forecast,
        names.schedule_training,
        names.schedule_scoring,
    }
    buckets = all_of("AWS::S3::Bucket", "BucketName")
    assert {bucket.replace("${AWS::AccountId}", "1").replace("${AWS::Region}", "r") for bucket in buckets} == {
        names.results_bucket("1", "r"),
        names.models_bucket("1", "r"),
    }


def test_every_queue_has_a_dead_letter_queue(resources: dict[str, dict[str, Any]]) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    working = {name: queue for name, queue in queues.items() if not name.endswith("DeadLetterQueue")}
    for name, queue in working.items():
        dead = name.removesuffix("Queue") + "DeadLetterQueue"
        assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [dead, "Arn"]}
        assert named(queues[dead]["QueueName"], "s") == Names.dead_letter(named(queue["QueueName"], "s"))
        assert "RedrivePolicy" not in queues[dead]
    for queue in queues.values():
        assert queue["VisibilityTimeout"] == 60
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert queue["ReceiveMessageWaitTimeSeconds"] == 20


def test_topics_reach_their_queues_raw_and_are_allowed_to(resources: dict[str, dict[str, Any]]) -> None:
    wanted = {("ReadingsTopic", "ArchiveQueue"), ("ReadingsTopic", "WatchQueue"), ("ForecastsTopic", "WatchQueue")}
    subscriptions = of_type(resources, "AWS::SNS::Subscription").values()
    assert all(entry["RawMessageDelivery"] is True for entry in subscriptions)
    assert {(entry["TopicArn"]["Ref"], entry["Endpoint"]["Fn::GetAtt"][0]) for entry in subscriptions} == wanted
    allowed = {
        (topic["Ref"], policy["Queues"][0]["Ref"])
        for policy in of_type(resources, "AWS::SQS::QueuePolicy").values()
        for topic in policy["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]
    }
    assert allowed == wanted


def test_tables_are_billed_by_use_encrypted_and_recoverable(resources: dict[str, dict[str, Any]]) -> None:
    tables = of_type(resources, "AWS::DynamoDB::Table")
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True}
    expiring = {name for name, table in tables.items() if "TimeToLiveSpecification" in table}
    assert expiring == {
        "ReadingsTable",
        "ForecastsTable",
        "ModelsTable",
        "DeliveriesTable",
        "WatermarksTable",
        "QuarantineTable",
        "IdempotencyTable",
    }


def test_what_holds_data_outlives_the_stack(resources: dict[str, dict[str, Any]]) -> None:
    holding = ("AWS::DynamoDB::", "AWS::S3Tables::", "AWS::S3::", "AWS::SQS::Queue")
    for name, entry in resources.items():
        if entry["Type"].startswith(holding) and entry["Type"] != "AWS::SQS::QueuePolicy":
            assert entry["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert entry["UpdateReplacePolicy"] == "Retain", name


def test_each_service_has_a_policy_that_names_its_actions(resources: dict[str, dict[str, Any]]) -> None:
    policies = of_type(resources, "AWS::IAM::ManagedPolicy")
    assert set(policies) == {f"{service}Policy" for service in SERVICES}
    for name, policy in policies.items():
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            actions = actions if isinstance(actions, list) else [actions]
            assert all("*" not in action for action in actions), f"{name} {statement['Sid']}"
            unbounded = statement.get("Resource") == "*"
            known = ["lakeformation:GetDataAccess"], ["cloudwatch:GetMetricData"]
            assert not unbounded or actions in known, f"{name} {statement['Sid']}"


def test_the_template_for_amazon_forecast_is_sound_too() -> None:
    body = TEMPLATE.with_name("amazon-forecast.yaml").read_text(encoding="utf-8")
    assert "cfn-lint" not in body, "no rule is switched off in the template"
    matches = cfnlint.api.lint(body, config=ManualArgs(regions=["eu-central-1", "us-east-1"]))
    assert [str(match) for match in matches] == []
