"""An AWS on this machine: MiniStack, completed where it falls short of what Sensorcast asks of AWS.

`python -m sensorcast_local.emulator --port 4566 --state-dir DIR` serves it on loopback. Each module beside this one
that has an `install()` opens with what MiniStack 1.4.21 lacks and why that matters; nothing else of MiniStack is
touched. The version is pinned, because they reach into its modules.
"""

from sensorcast_local.emulator.client import READY_PATH, SentSms, is_ready, save, sent_sms
from sensorcast_local.emulator.process import SERVICES, command

__all__ = ["READY_PATH", "SERVICES", "SentSms", "command", "is_ready", "save", "sent_sms"]
