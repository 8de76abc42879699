"""Links to dashboards show one tenant, in allowed pages only; what QuickSight refuses is said in words.

The server checks requests by botocore's model of the service, and answers in its wire format.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from aiobotocore.session import get_session
from aiohttp import web
from botocore.validate import validate_parameters
from cfnlint.config import ManualArgs
from pydantic import ValidationError
from tests.services.api.fakes import World

from sensorcast_api.asgi import make_app
from sensorcast_api.dashboards import QuickSight
from sensorcast_api.settings import ApiSettings
from sensorcast_common.aws import Aws
from sensorcast_local.command import LOOPBACK

ACCOUNT = "123456789012"
TEMPLATE = Path(__file__).parents[3] / "deploy" / "aws" / "quicksight.yaml"


@dataclass
class FakeQuickSight:
    """What it was asked, and what it refuses with."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None

    async def embed(self, request: web.Request) -> web.Response:
        service = await get_session().get_service_model("quicksight")
        model = service.operation_model("GenerateEmbedUrlForAnonymousUser")
        body = await request.json()
        assert model.input_shape is not None
        validate_parameters({**body, "AwsAccountId": request.match_info["account"]}, model.input_shape)
        assert request.path == model.http["requestUri"].replace("{AwsAccountId}", ACCOUNT)
        self.asked.append(body)
        if self.refusal is not None:
            status, code = self.refusal
            return web.json_response({"Message": "no"}, status=status, headers={"x-amzn-errortype": code})
        return web.json_response({"EmbedUrl": "https://q/embed/1", "AnonymousUserArn": "arn:x", "RequestId": "1"})


@pytest.fixture
async def quicksight() -> AsyncIterator[tuple[FakeQuickSight, World]]:
    """The server, and a world that embeds from it."""
    fake = FakeQuickSight()
    app = web.Application()
    app.router.add_post("/accounts/{account}/embed-url/anonymous-user", fake.embed)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    session = get_session()
    session.set_credentials("key", "secret")
    host, port = runner.addresses[0][:2]
    aws = Aws(session=session, region="eu-central-1", endpoint_url=f"http://{host}:{port}")
    async with aws.client("quicksight") as client:
        world = World()
        embedding = QuickSight(
            client=client,
            account=ACCOUNT,
            region="eu-central-1",
            dashboards={"history": "sensorcast-history"},
            domains=["https://example.org"],
        )
        world.services = replace(world.services, dashboards=embedding)
        world.app = make_app(world.services)
        yield fake, world
    await runner.cleanup()


async def test_a_link_carries_the_tenant_of_the_credential_and_the_allowed_domains(
    quicksight: tuple[FakeQuickSight, World],
) -> None:
    fake, world = quicksight
    async with world.client(tenant="other") as client:
        assert (await client.get("/v1/dashboards")).json() == {"items": ["history"]}
        made = await client.post("/v1/dashboards/history/links", params={"tenant": "acme"})
        assert (await client.post("/v1/dashboards/absent/links")).status_code == 404
    assert made.status_code == 201
    assert made.json()["url"] == "https://q/embed/1"
    (asked,) = fake.asked
    assert asked["SessionTags"] == [{"Key": "tenant", "Value": "other"}]
    assert asked["AllowedDomains"] == ["https://example.org"]
    assert asked["AuthorizedResourceArns"] == [
        f"arn:aws:quicksight:eu-central-1:{ACCOUNT}:dashboard/sensorcast-history"
    ]


@pytest.mark.parametrize(
    ("refusal", "status", "kind"),
    [
        ((403, "UnsupportedPricingPlanException"), 503, "urn:sensorcast:problem:quicksight-pricing"),
        ((403, "AccessDeniedException"), 502, "about:blank"),
        ((404, "ResourceNotFoundException"), 502, "about:blank"),
    ],
)
async def test_what_quicksight_refuses_is_said(
    quicksight: tuple[FakeQuickSight, World], refusal: tuple[int, str], status: int, kind: str
) -> None:
    fake, world = quicksight
    fake.refusal = refusal
    async with world.client() as client:
        answer = await client.post("/v1/dashboards/history/links")
    assert (answer.status_code, answer.json()["type"]) == (status, kind)
    assert ("session capacity pricing" in answer.text) == (kind != "about:blank")


async def test_without_quicksight_there_are_no_dashboards(world: World) -> None:
    async with world.client() as client:
        assert (await client.get("/v1/dashboards")).json() == {"items": []}
        assert (await client.post("/v1/dashboards/history/links")).status_code == 404


def test_settings_name_dashboards_and_who_may_embed_them() -> None:
    settings = ApiSettings.model_validate(
        {"quicksight_dashboards": "history=a-1, goods=b-2", "quicksight_domains": "https://example.org"}
    )
    assert settings.quicksight_dashboards == {"history": "a-1", "goods": "b-2"}
    for wrong in ({"quicksight_dashboards": "history"}, {"quicksight_dashboards": "history=a-1"}):
        with pytest.raises(ValidationError, match=r"NAME=DASHBOARD_ID|quicksight_domains"):
            ApiSettings.model_validate(wrong)


def test_the_template_is_sound_and_filters_by_the_tag_that_links_carry() -> None:
    body = TEMPLATE.read_text(encoding="utf-8")
    assert [str(match) for match in cfnlint.api.lint(body, config=ManualArgs(regions=["eu-central-1"]))] == []
    assert "TagKey: tenant\n" in body
