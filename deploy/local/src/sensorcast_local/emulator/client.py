"""What others ask a running emulator that is not part of AWS."""

from dataclasses import dataclass
from datetime import datetime

import aiohttp

READY_PATH = "/_sensorcast/ready"
SAVE_PATH = "/_sensorcast/save"
SMS_PATH = "/_sensorcast/sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentSms:
    """A text message that was handed to SNS.

    Args:
        account: AWS account that sent it.
        phone_number: To whom, E.164.
        message: The text.
        message_id: What SNS answered.
        sent_at: When, UTC.
    """

    account: str
    phone_number: str
    message: str
    message_id: str
    sent_at: datetime


async def is_ready(endpoint_url: str) -> bool:
    """Tell whether the emulator at `endpoint_url` answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http,
            http.get(endpoint_url + READY_PATH) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def save(endpoint_url: str) -> bool:
    """Let the emulator save its state now; False when a stack is being changed and it did not.

    Raises:
        aiohttp.ClientError: The emulator does not answer.
    """
    async with aiohttp.ClientSession() as http, http.get(endpoint_url + SAVE_PATH) as response:
        response.raise_for_status()
        answer: dict[str, bool] = await response.json()
    return answer["saved"]


async def sent_sms(endpoint_url: str, *, account: str | None = None) -> list[SentSms]:
    """The SMS that were sent through the emulator, oldest first.

    Args:
        endpoint_url: The emulator's endpoint.
        account: Only those of this AWS account; `None` means of all.

    Raises:
        aiohttp.ClientError: The emulator does not answer.
    """
    query = {} if account is None else {"account": account}
    async with aiohttp.ClientSession() as http, http.get(endpoint_url + SMS_PATH, params=query) as response:
        response.raise_for_status()
        entries: list[dict[str, str]] = await response.json()
    return [
        SentSms(
            account=entry["account"],
            phone_number=entry["phone_number"],
            message=entry["message"],
            message_id=entry["message_id"],
            sent_at=datetime.fromisoformat(entry["sent_at"]),
        )
        for entry in entries
    ]
