"""How many parts a text takes as SMS, by which networks and AWS bill.

GSM-7 (3GPP TS 23.038): 160 septets in one part, or 153 in each of several, since a header of 7 septets joins them.
Anything else goes as UCS-2: 70 units of 16 bits in one part, or 67. What takes two units is never split.
"""

from collections.abc import Iterable
from typing import Final

from sensorcast_alerter.notify.gsm7 import ONE_PART, is_gsm7, septets

GSM7_OF_SEVERAL: Final = 153
UCS2_ONE: Final = 70
UCS2_OF_SEVERAL: Final = 67


def parts(text: str) -> int:
    """At least one."""
    if is_gsm7(text):
        units, one, several = [septets(character) for character in text], ONE_PART, GSM7_OF_SEVERAL
    else:
        units, one, several = [len(character.encode("utf-16-le")) // 2 for character in text], UCS2_ONE, UCS2_OF_SEVERAL
    return 1 if sum(units) <= one else _filled(units, several)


def _filled(units: Iterable[int], room: int) -> int:
    count, used = 1, 0
    for each in units:
        if used + each > room:
            count, used = count + 1, 0
        used += each
    return count
