"""The table of contacts: who is told of incidents, in which order, and when nobody is."""

from typing import TYPE_CHECKING, Final, NamedTuple

from sensorcast_common.escalation import Escalation
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient
from sensorcast_common.silence import Silence
from sensorcast_common.tables.contact_items import ContactItems, ContactKind

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import ScanInputTypeDef

RECIPIENT: Final = ContactKind(name="recipient", model=Recipient, identity=lambda each: each.recipient_id)
ESCALATION: Final = ContactKind(name="escalation", model=Escalation, identity=lambda each: each.escalation_id)
SILENCE: Final = ContactKind(name="silence", model=Silence, identity=lambda each: each.silence_id)


class Contacts(NamedTuple):
    """Everything in the table, of all tenants."""

    recipients: list[Recipient]
    escalations: list[Escalation]
    silences: list[Silence]


class ContactsTable:
    """Recipients, escalations and silences per tenant.

    Args:
        client: DynamoDB.
        names: The stack's names.

    Attributes:
        recipients: Who is told.
        escalations: In which order.
        silences: When nobody is.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_contacts
        self.recipients = ContactItems(client, self._table, RECIPIENT)
        self.escalations = ContactItems(client, self._table, ESCALATION)
        self.silences = ContactItems(client, self._table, SILENCE)

    async def every(self) -> Contacts:
        """The contacts of all tenants; a scan, for the alerter, which reads them again every few seconds."""
        found = Contacts([], [], [])
        scan: ScanInputTypeDef = {"TableName": self._table}
        while True:
            page = await self._client.scan(**scan)
            for item in page["Items"]:
                if self.recipients.is_one(item):
                    found.recipients.append(self.recipients.read(item))
                elif self.escalations.is_one(item):
                    found.escalations.append(self.escalations.read(item))
                elif self.silences.is_one(item):
                    found.silences.append(self.silences.read(item))
            if "LastEvaluatedKey" not in page:
                return found
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]
