"""Everything that reaches beneath aiomqtt, in one place.

aiomqtt owns the connection: CONNECT, TLS, keepalive, SUBSCRIBE, DISCONNECT. What it does not offer is done here with
the paho client that it wraps, and is checked by the tests against aiomqtt 2.5 and paho 2:

- acknowledging by hand: messages are taken out of the stream before paho, which would acknowledge them at once, sees
  them, and the PUBACKs go out through paho's send queue;
- speed: the socket is read in large pieces, all packets of a piece are taken per wake-up;
- not reading while too much is in flight.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from sensorcast_common.logs import logger
from sensorcast_common.mqtt.packets import MalformedPacket, Publish, pubacks, split

log = logger(__name__)

_READ_BYTES: Final = 256 * 1024
_PUBACK: Final = 0x40


class _Socket(Protocol):
    """What paho asks of a socket."""

    def recv(self, buffer_size: int, /) -> bytes: ...
    def send(self, buffer: bytes | bytearray, /) -> int: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...


class _WithoutMessages:
    """The socket as paho sees it: everything that arrives but PUBLISH packets."""

    def __init__(self, beneath: _Socket, *, is_mqtt5: bool) -> None:
        self.beneath = beneath
        self._is_mqtt5 = is_mqtt5
        self._buffer = bytearray()
        self._wanted = 2
        self._for_paho = b""
        self._failure: OSError | None = None
        self._ended = False

    def read(self) -> list[Publish]:
        """Read one piece; failures and the end of the stream are kept for paho, which knows what to do."""
        try:
            piece = self.beneath.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except OSError as error:
            self._failure = error
            return []
        if not piece:
            self._ended = True
            return []
        self._buffer += piece
        if len(self._buffer) < self._wanted:
            return []
        found = split(bytes(self._buffer), is_mqtt5=self._is_mqtt5)
        del self._buffer[: found.used]
        self._wanted = found.wanted
        self._for_paho += found.others
        return found.messages

    def fail(self, failure: OSError) -> None:
        """Let paho find the connection broken."""
        self._failure = failure

    @property
    def has_more(self) -> bool:
        """Whether a TLS record was read and not yet handed out; the selector does not see those."""
        return isinstance(self.beneath, ssl.SSLSocket) and self.beneath.pending() > 0

    @property
    def concerns_paho(self) -> bool:
        """Whether paho has something to read."""
        return bool(self._for_paho) or self._ended or self._failure is not None

    def recv(self, buffer_size: int) -> bytes:
        if self._for_paho:
            taken, self._for_paho = self._for_paho[:buffer_size], self._for_paho[buffer_size:]
            return taken
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, buffer: bytes | bytearray) -> int:
        return self.beneath.send(buffer)

    def close(self) -> None:
        self.beneath.close()

    def fileno(self) -> int:
        return self.beneath.fileno()

    def setblocking(self, flag: bool) -> None:
        self.beneath.setblocking(flag)


class Tap:
    """Takes the messages of one client that is not connected yet.

    Args:
        client: From then on its `messages` stay empty.
        on_messages: Called within the event loop with the messages of one wake-up, in order; must not raise.
    """

    def __init__(self, client: aiomqtt.Client, on_messages: Callable[[list[Publish]], None], *, is_mqtt5: bool) -> None:
        self._client = client
        self._on_messages = on_messages
        self._loop = asyncio.get_running_loop()
        self._socket: _WithoutMessages | None = None
        self._paused = False
        self._paho: paho.Client = client._client  # noqa: SLF001 - what this module is for
        create, opened, misc = self._paho._create_socket, self._paho.on_socket_open, self._paho.loop_misc  # noqa: SLF001

        def create_socket() -> _WithoutMessages:
            self._socket = _WithoutMessages(create(), is_mqtt5=is_mqtt5)
            self._tune(self._socket.beneath)
            return self._socket

        def on_socket_open(of: paho.Client, userdata: object, sock: _WithoutMessages) -> None:
            if opened is not None:
                opened(of, userdata, sock)  # starts keepalive, and a reader that ours replaces
            self._loop.call_soon_threadsafe(self.resume)

        def loop_misc() -> MQTTErrorCode:
            if self._paused:
                # The answer to a ping waits unread in the socket: it must not count as missing.
                self._paho._ping_t = 0.0  # noqa: SLF001
            return misc()

        self._paho._create_socket = create_socket  # type: ignore[method-assign]  # noqa: SLF001
        self._paho.loop_misc = loop_misc  # type: ignore[method-assign]
        self._paho.on_socket_open = on_socket_open  # type: ignore[assignment]

    def acknowledge(self, mids: list[int]) -> None:
        """Send PUBACKs in this order, as one write."""
        if self._paho.socket() is not None:
            self._paho._packet_queue(_PUBACK, pubacks(mids), 0, 1)  # noqa: SLF001

    @property
    def paused(self) -> bool:
        """Whether the socket is not read."""
        return self._paused

    def pause(self) -> None:
        """Stop reading: what the broker sends stays in the kernel's buffers, and then with the broker."""
        self._paused = True
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._socket is not None and self._paho.socket() is not None:
            self._loop.add_reader(self._socket.fileno(), self._readable)
            if self._socket.has_more:
                self._loop.call_soon(self._readable)

    def close(self) -> None:
        """Close the socket if aiomqtt has not."""
        self._paho._sock_close()  # noqa: SLF001

    def _readable(self) -> None:
        sock = self._socket
        if sock is None or self._paho.socket() is None or self._paused:
            return
        messages: list[Publish] = []
        try:
            messages = sock.read()
            while sock.has_more:
                messages += sock.read()
        except MalformedPacket as error:
            sock.fail(ConnectionError(str(error)))
        if messages:
            self._on_messages(messages)
        try:
            while sock.concerns_paho and self._paho.socket() is not None:
                self._paho.loop_read()
        except Exception:
            log.exception("a packet could not be handled, the connection is given up")
            self._paho._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)  # noqa: SLF001

    @staticmethod
    def _tune(beneath: object) -> None:
        if isinstance(beneath, socket.socket) and beneath.family != socket.AF_UNIX:
            beneath.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
