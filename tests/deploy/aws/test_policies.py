"""What each service's role allows is what its code calls: nothing is missing, and nothing is left over."""

from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.decode import decode
from tests.deploy.aws.calls import calls_of

AWS = Path(__file__).parents[3] / "deploy" / "aws"

ACTIONS: Final = {
    ("sqs", "SendMessageBatch"): {"sqs:SendMessage"},
    ("sqs", "DeleteMessageBatch"): {"sqs:DeleteMessage"},
    ("sqs", "ChangeMessageVisibilityBatch"): {"sqs:ChangeMessageVisibility"},
    ("sns", "PublishBatch"): {"sns:Publish"},
    # A transaction is allowed by what it consists of.
    ("dynamodb", "TransactWriteItems"): {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    ("sts", "GetCallerIdentity"): set(),
    ("sagemaker-runtime", "InvokeEndpoint"): {"sagemaker:InvokeEndpoint"},
    ("forecastquery", "QueryForecast"): {"forecast:QueryForecast"},
    ("sesv2", "SendEmail"): {"ses:SendEmail"},
    ("s3", "ListObjectsV2"): {"s3:ListBucket"},
    ("s3", "HeadObject"): {"s3:GetObject"},
}
"""Where the IAM action is not called like the operation."""

NOT_CALLED: Final = {
    "ingest": set[str](),
    # The queue library can publish to topics.
    "archiver": {"sns:GetTopicAttributes", "sns:Publish"},
    "forecaster": set[str](),
    # `subscribe` is aiomqtt's here, and `delete` of contacts is the API's.
    "alerter": {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "sns:GetTopicAttributes", "sns:Subscribe"},
    # Lists of all tenants and deletions of readings are commands', run with an operator's credentials.
    "api": {"dynamodb:BatchWriteItem", "dynamodb:Scan", "sns:GetTopicAttributes", "sns:Publish"},
}
"""What the reading of the code takes for calls, since names are all it goes by."""

OPTIONAL: Final = {"forecaster": ("amazon-forecast.yaml",), "api": ("quicksight.yaml",)}
"""Templates whose policies are attached where the service's settings ask for it."""

INDIRECT: Final = {
    # The Iceberg client reads and writes tables by S3 Tables' own permissions.
    "s3tables:GetTableBucket",
    "s3tables:GetNamespace",
    "s3tables:ListNamespaces",
    "s3tables:ListTables",
    "s3tables:GetTable",
    "s3tables:GetTableMetadataLocation",
    "s3tables:UpdateTableMetadataLocation",
    "s3tables:GetTableData",
    "s3tables:PutTableData",
    # Athena does these on behalf of who asks.
    "athena:GetWorkGroup",
    "athena:StopQueryExecution",
    "athena:GetQueryResults",
    "glue:GetCatalog",
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetPartitions",
    "lakeformation:GetDataAccess",
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    # Amazon Forecast becomes the role that it is given.
    "iam:PassRole",
    # Mail is asked for by the alerter's own client of SES.
    "ses:SendEmail",
}
"""What others do with the service's permissions, so that no call of ours shows it."""


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """The inline statements of a role, those under a condition included."""
    found = []
    for policy in template["Resources"][role]["Properties"].get("Policies", []):
        found += policy.get("Fn::If", [None, policy])[1]["PolicyDocument"]["Statement"]
    return found


def managed(path: Path) -> list[dict[str, Any]]:
    """The statements of a template's policies."""
    template, problems = decode(str(path))
    assert template is not None
    assert not problems
    return [
        statement
        for entry in template["Resources"].values()
        if entry["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in entry["Properties"]["PolicyDocument"]["Statement"]
    ]


@pytest.fixture(scope="module")
def allowed() -> dict[str, set[str]]:
    """Actions that each service's role allows, by the policies that the production template attaches."""
    main, problems = decode(str(AWS / "sensorcast.yaml"))
    production, more = decode(str(AWS / "sensorcast-production.yaml"))
    assert main is not None
    assert production is not None
    assert not problems + more
    policies = {
        entry["Properties"]["ManagedPolicyName"]["Fn::Sub"].removeprefix("${StackPrefix}-"): entry["Properties"]
        for entry in main["Resources"].values()
        if entry["Type"] == "AWS::IAM::ManagedPolicy"
    }
    found: dict[str, set[str]] = {}
    for service in NOT_CALLED:
        role = service.capitalize() + "Role"
        attached = production["Resources"][role]["Properties"]["ManagedPolicyArns"]
        # What is attached under a condition comes from an optional template.
        names = [arn["Fn::Sub"].partition("${StackPrefix}-")[2] for arn in attached if "Fn::Sub" in arn]
        texts = [each for name in names for each in policies[name]["PolicyDocument"]["Statement"]]
        texts += [each for name in OPTIONAL.get(service, ()) for each in managed(AWS / name)]
        actions = [text["Action"] for text in texts + statements(production, role)]
        found[service] = {action for each in actions for action in (each if isinstance(each, list) else [each])}
    return found


@pytest.mark.parametrize("service", NOT_CALLED)
def test_a_role_allows_what_its_service_calls_and_no_more(service: str, allowed: dict[str, set[str]]) -> None:
    called = {action for call in calls_of(service) for action in ACTIONS.get(call, {f"{call[0]}:{call[1]}"})}
    assert called - allowed[service] <= NOT_CALLED[service], "calls that the role does not allow"
    assert allowed[service] - called - INDIRECT == set(), "actions that nobody calls"
