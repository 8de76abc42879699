"""Text messages that can be read again.

MiniStack 1.4.21 answers a Publish to a telephone number with a message id and forgets the text. What Sensorcast is for
ends in an SMS, so the texts are kept, one JSON object a line, and shown at `/_sensorcast/sms`.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sensorcast_local.emulator.reach import ministack

_MESSAGE_ID = re.compile(rb"<MessageId>([^<]+)</MessageId>")

Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Keep what is published to a telephone number."""
    sns = ministack("services.sns")
    responses = ministack("core.responses")
    publish = sns._publish

    def publish_and_keep(params: dict[str, Any]) -> Response:
        response: Response = publish(params)
        phone_number = sns._p(params, "PhoneNumber")
        if phone_number and response[0] == 200 and (match := _MESSAGE_ID.search(response[2])):
            _keep(
                {
                    "account": responses.get_account_id(),
                    "phone_number": phone_number,
                    "message": sns._p(params, "Message"),
                    "message_id": match.group(1).decode(),
                    "sent_at": datetime.now(UTC).isoformat(),
                }
            )
        return response

    sns._publish = publish_and_keep


def sent(*, account: str | None) -> list[dict[str, str]]:
    """The texts that were sent, oldest first; those of `account`, or all."""
    try:
        lines = _file().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    entries: list[dict[str, str]] = [json.loads(line) for line in lines]
    return [entry for entry in entries if account in (None, entry["account"])]


def _keep(entry: dict[str, str]) -> None:
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _file() -> Path:
    return Path(ministack("core.persistence").STATE_DIR) / "sms.jsonl"
