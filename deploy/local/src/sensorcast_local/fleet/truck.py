"""The physics of one refrigerated truck: air and goods as two thermal masses, a compressor with hysteresis.

    C_air   dT_air/dt   = U_wall (T_out - T_air) + U_door (T_out - T_air) [door open]
                          + U_goods (T_goods - T_air) + P_heater [defrost] - P_cooling [compressor on]
    C_goods dT_goods/dt = U_goods (T_air - T_goods)

Capacities in kJ/K, conductances in kW/K, powers in kW, times in s, temperatures in degC. The figures are those of a
van of 3.5 t, lightly loaded.
"""

from dataclasses import dataclass, replace
from typing import Final

STEP: Final = 10
"""Seconds of one step; explicit Euler is stable far beyond it, as the fastest time constant is some 20 minutes."""

C_AIR: Final = 220.0  # kJ/K, air, lining and the surface of the packages
C_GOODS: Final = 850.0  # kJ/K, about 240 kg of produce
U_WALL: Final = 0.035  # kW/K
U_DOOR: Final = 0.055  # kW/K, on top of the wall, behind a strip curtain
U_GOODS: Final = 0.3  # kW/K
P_COOLING: Final = 2.1  # kW
P_HEATER: Final = 0.12  # kW that reaches the air while the evaporator defrosts

TAU_HUMIDITY: Final = 420.0  # s
HUMIDITY_TARGET: Final = {"cooling": 66.0, "idle": 79.0, "open": 88.0, "defrost": 90.0}  # %RH


@dataclass(frozen=True, slots=True)
class Traits:
    """What differs between trucks.

    Attributes:
        setpoint: Temperature the thermostat holds, degC.
        band: Half the width of its hysteresis, K.
        offset: Error of the temperature sensor, K.
    """

    setpoint: float
    band: float
    offset: float


@dataclass(frozen=True, slots=True)
class Influence:
    """What acts on a truck during one step.

    Attributes:
        outside: Air temperature outside, degC.
        door_open: Whether the door is open.
        defrosting: Whether the evaporator is being defrosted; the compressor rests.
        cooling_left: Share of its cooling power that the compressor still has, 0 to 1.
    """

    outside: float
    door_open: bool
    defrosting: bool
    cooling_left: float = 1.0


@dataclass(frozen=True, slots=True)
class TruckState:
    """Where a truck is.

    Attributes:
        air: Temperature of the air in the box, degC.
        goods: Temperature of the goods, degC.
        humidity: Relative humidity of the air, %.
        cooling: Whether the compressor runs.
    """

    air: float
    goods: float
    humidity: float
    cooling: bool


def at_rest(traits: Traits) -> TruckState:
    """A truck that has long been at its setpoint."""
    return TruckState(air=traits.setpoint, goods=traits.setpoint, humidity=75.0, cooling=False)


def step(state: TruckState, traits: Traits, influence: Influence) -> TruckState:
    """The state `STEP` seconds later."""
    cooling = _thermostat(state, traits) and not influence.defrosting
    exchange = U_WALL + (U_DOOR if influence.door_open else 0.0)
    heat = exchange * (influence.outside - state.air) + U_GOODS * (state.goods - state.air)
    if influence.defrosting:
        heat += P_HEATER
    if cooling:
        heat -= P_COOLING * influence.cooling_left
    target = HUMIDITY_TARGET[_mode(influence, cooling=cooling)]
    return replace(
        state,
        air=state.air + heat * STEP / C_AIR,
        goods=state.goods + U_GOODS * (state.air - state.goods) * STEP / C_GOODS,
        humidity=state.humidity + (target - state.humidity) * STEP / TAU_HUMIDITY,
        cooling=cooling,
    )


def _thermostat(state: TruckState, traits: Traits) -> bool:
    if state.air > traits.setpoint + traits.band:
        return True
    if state.air < traits.setpoint - traits.band:
        return False
    return state.cooling


def _mode(influence: Influence, *, cooling: bool) -> str:
    if influence.door_open:
        return "open"
    if influence.defrosting:
        return "defrost"
    return "cooling" if cooling else "idle"
