"""How far back the service looks by default; the backtest and the benchmark look as far."""

from typing import Final

HISTORY_HOURS: Final = 96
"""Past that a forecast rests on, of devices that report often: four days hold two defrosts that are 42 hours apart."""

SPARSE_HISTORY_HOURS: Final = 168
"""The same of devices that report rarely, as far as the hot store has it; at most what it keeps."""

LAKE_HISTORY_HOURS: Final = 336
"""The same with what the lake has: on a cold store 14 days instead of 7 took the loss to 0.955 of what it was."""

TRAIN_DAYS: Final = 60
"""Past that boosted models learn from: on a cold store 7 days gave 0.957 of the loss of last value, 60 days 0.891."""

TRAIN_ROWS: Final = 200_000
"""Rows that one model learns from; twice as many gained nothing that could be told from chance."""

TRAIN_POINTS: Final = 20_000_000
"""Minute means that are read to train one model, 1,000 series of 14 days: what fits in 2 GB."""
