"""SMS through Amazon SNS."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.ports import Refused
from sensorcast_common.errors import Retryable

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sns.type_defs import MessageAttributeValueTypeDef

    from sensorcast_alerter.notify.message import Message

_FINAL: Final = frozenset({"InvalidParameter", "InvalidParameterValue", "ValidationError", "OptedOut"})
"""Codes that say this number or text will never do; what concerns the account may be mended, and is tried again."""


class SmsSender:
    """Publishes to a telephone number, as transactional: reliability before cost.

    Args:
        client: SNS.
        sender_id: Up to 11 letters or digits that phones show as the sender, where the country allows it.
    """

    def __init__(self, client: "SNSClient", *, sender_id: str | None = None) -> None:
        self._client = client
        self._attributes: dict[str, MessageAttributeValueTypeDef] = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
        }
        if sender_id is not None:
            self._attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": sender_id}

    async def send(self, message: "Message") -> None:
        """Return once SNS has accepted the message.

        Raises:
            Refused: The number is not one, or its owner opted out.
            Retryable: SNS is away, throttles, or the account lacks a permission or budget.
        """
        try:
            await self._client.publish(
                PhoneNumber=message.address, Message=message.text, MessageAttributes=self._attributes
            )
        except ClientError as error:
            # The emulator and some SDK protocols write the shape's name, SNS itself the code.
            code = error.response["Error"]["Code"].removesuffix("Exception")
            if code in _FINAL:
                raise Refused(f"{code}: {error.response['Error']['Message']}") from error
            raise Retryable(f"SNS: {code}") from error
        except BotoCoreError as error:
            raise Retryable(f"SNS: {type(error).__name__}") from error
