"""The alphabet of an SMS: GSM-7, as 3GPP TS 23.038, section 6.2.1, has it.

A single character outside of it makes a phone network send UCS-2, of which a part holds 70.
"""

import unicodedata
from typing import Final

ONE_PART: Final = 160
"""Septets that one part holds."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")


def gsm7(text: str) -> str:
    """`text` in the GSM-7 alphabet: accents are dropped where the alphabet lacks the letter, the rest becomes `?`."""
    return "".join(_gsm7_character(character) for character in unicodedata.normalize("NFC", text))


def is_gsm7(text: str) -> bool:
    """Whether the alphabet has every character of `text`."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def septets(text: str) -> int:
    """The length that counts toward a part; an extended character takes two."""
    return sum(2 if character in _EXTENDED else 1 for character in text)


def cut(text: str, room: int) -> str:
    """`text` in at most `room` septets, with dots where it was cut."""
    if septets(text) <= room:
        return text
    while text and septets(text) > room - 2:
        text = text[:-1]
    return f"{text.rstrip()}.." if text else ""


def _gsm7_character(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in _BASIC else "?"
