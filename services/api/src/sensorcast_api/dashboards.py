"""Dashboards in QuickSight, embedded for people who have no account there; each sees one tenant's rows.

The tenant is a session tag, by which the data set filters its rows (row-level security with tags). The link is good for
one use within five minutes, and only in pages of the allowed domains.

Sources: GenerateEmbedUrlForAnonymousUser in the QuickSight API reference; "Using row-level security with tags".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_aiobotocore_quicksight import QuickSightClient

TENANT_TAG: Final = "tenant"
"""Key of the session tag; the data set's tag rule names the same."""

URL_SECONDS: Final = 300
"""How long a link may be opened, which AWS fixes."""

_NOT_IN_PLAN: Final = frozenset({"UnsupportedPricingPlanException", "UnsupportedUserEditionException"})
_BUSY: Final = frozenset({"ThrottlingException", "InternalFailureException"})


class NotInPlan(Exception):  # noqa: N818 - an answer, not a failure
    """The AWS account's QuickSight pricing does not allow to embed for anonymous people."""


class DashboardsBusy(Exception):  # noqa: N818 - an answer, not a failure
    """QuickSight does not answer now; later it may."""


class DashboardsRefused(Exception):  # noqa: N818 - carries AWS's reason, for the log
    """QuickSight refuses: the dashboard, a domain or the permission is wrong."""


class Embedding(Protocol):
    """What makes links."""

    @property
    def dashboards(self) -> Mapping[str, str]:
        """Dashboard ids by name."""
        ...

    async def link(self, name: str, *, tenant: str) -> str:
        """A link to a dashboard that shows one tenant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickSight(Embedding):
    """Embedding by QuickSight.

    Attributes:
        client: An open client.
        account: AWS account id.
        region: AWS Region.
        partition: AWS partition.
        dashboards: Dashboard ids by the name that the API shows.
        domains: Web origins whose pages may embed.
        session_minutes: How long a person may look, 15 to 600; AWS bills by session.
    """

    client: "QuickSightClient"
    account: str
    region: str
    partition: str = "aws"
    dashboards: Mapping[str, str]
    domains: Sequence[str]
    session_minutes: int = 60

    async def link(self, name: str, *, tenant: str) -> str:
        """A link to a dashboard that shows one tenant.

        Raises:
            NotInPlan: The account's pricing does not allow it.
            DashboardsBusy: Later it may work.
            DashboardsRefused: Something is set up wrongly.
        """
        dashboard = self.dashboards[name]
        arn = f"arn:{self.partition}:quicksight:{self.region}:{self.account}:dashboard/{dashboard}"
        try:
            answer = await self.client.generate_embed_url_for_anonymous_user(
                AwsAccountId=self.account,
                Namespace="default",
                SessionLifetimeInMinutes=self.session_minutes,
                SessionTags=[{"Key": TENANT_TAG, "Value": tenant}],
                AuthorizedResourceArns=[arn],
                ExperienceConfiguration={"Dashboard": {"InitialDashboardId": dashboard}},
                AllowedDomains=list(self.domains),
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NOT_IN_PLAN:
                raise NotInPlan(str(error)) from error
            raise (DashboardsBusy if code in _BUSY else DashboardsRefused)(str(error)) from error
        except BotoCoreError as error:
            raise DashboardsBusy(str(error)) from error
        return answer["EmbedUrl"]
