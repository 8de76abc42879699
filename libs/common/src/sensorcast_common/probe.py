"""Asks a service's ops port whether it is alive: `python -m sensorcast_common.probe 9090`.

For a container's health check, without a shell. Imports nothing but the standard library, since it is started every
half minute.
"""

import http.client
import sys

TIMEOUT = 4.0  # s


def answers(port: int, path: str = "/healthz") -> bool:
    """Tell whether `path` on loopback is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(int(sys.argv[1]), *sys.argv[2:3]) else 1)
