"""Who is told in the demonstration: a driver at once, and the manager on duty when nobody acknowledges."""

from typing import Final

from sensorcast_common.aws import Aws
from sensorcast_common.escalation import Escalation, Step
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient, Span
from sensorcast_common.tables.contacts import Contacts, ContactsTable

DAY_MANAGER: Final = "+15555550101"
NIGHT_MANAGER: Final = "+15555550102"


def demo_contacts(*, tenant: str, phone: str) -> Contacts:
    """A driver who is told at once, and two managers, of whom the one on duty is told when nobody acknowledges.

    Args:
        tenant: Whose.
        phone: The driver's number.
    """

    def manager(name: str, sms: str, *, start: str, end: str) -> Recipient:
        return Recipient(
            tenant=tenant,
            recipient_id=f"manager-{name}",
            name=f"Fleet manager, {name}",
            roles=["manager"],
            sms=sms,
            language="de",
            timezone="Europe/Berlin",
            schedule=[Span(start=start, end=end)],
        )

    driver = Recipient(
        tenant=tenant, recipient_id="driver", name="Driver", roles=["driver"], sms=phone, device="truck-*"
    )
    return Contacts(
        recipients=[
            driver,
            manager("day", DAY_MANAGER, start="06:00", end="20:00"),
            manager("night", NIGHT_MANAGER, start="20:00", end="06:00"),
        ],
        escalations=[
            Escalation(
                tenant=tenant,
                escalation_id="default",
                steps=[Step(roles=["driver"]), Step(after_minutes=5, roles=["manager"])],
                repeat_minutes=60,
            )
        ],
        silences=[],
    )


async def put_contacts(aws: Aws, names: Names, contacts: Contacts) -> None:
    """Store what is not there yet; what somebody has changed stays as it is."""
    async with aws.client("dynamodb") as dynamodb:
        table = ContactsTable(dynamodb, names)
        for recipient in contacts.recipients:
            if await table.recipients.get(recipient.tenant, recipient.recipient_id) is None:
                await table.recipients.put(recipient)
        for escalation in contacts.escalations:
            if await table.escalations.get(escalation.tenant, escalation.escalation_id) is None:
                await table.escalations.put(escalation)
