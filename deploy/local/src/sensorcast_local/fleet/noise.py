"""Noise that belongs to a moment: the same seed, name and counter always give the same number.

Nothing has to be remembered between two calls, so a simulation that is stopped goes on exactly as it would have.
The mixing function is splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
"""

import math
from hashlib import blake2b
from typing import Final

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_GOLDEN: Final = 0x9E37_79B9_7F4A_7C15


class Noise:
    """Numbers drawn by counter.

    Args:
        seed: The simulation's seed.
        name: What the noise is for, e.g. `truck-01/temperature`; each name is a sequence of its own.
    """

    def __init__(self, *, seed: int, name: str) -> None:
        self._key = int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")

    def uniform(self, counter: int) -> float:
        """A number in [0, 1)."""
        mixed = (self._key + counter * _GOLDEN) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def between(self, low: float, high: float, counter: int = 0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.uniform(counter)

    def gaussian(self, counter: int) -> float:
        """A number from the standard normal distribution (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform(2 * counter)))
        return radius * math.cos(2.0 * math.pi * self.uniform(2 * counter + 1))
