"""Three gradient-boosted quantile models of the change after some steps: trained, asked, written and read."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_forecaster.boosting.examples import Examples
from sensorcast_forecaster.boosting.features import Moments, moments
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.window import Values

if TYPE_CHECKING:
    from lightgbm import Booster

FORMAT_VERSION: Final = 2
LEVELS: Final = (0.1, 0.5, 0.9)

MIN_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Growth:
    """How the trees are grown.

    Attributes:
        trees: Of each quantile.
        leaves: Of each tree at most.
        min_leaf_rows: The fewest rows in a leaf; quantiles of fewer are noise.
        min_leaf_share: The smallest share of all rows in a leaf; neighbouring moments overlap, so that many rows are
            worth fewer.
        learning_rate: Share of each tree's correction that is taken.
        row_share: Share of the rows that each tree sees.
        column_share: Share of the columns that each tree sees.
        seed: Of what is drawn; the same rows and seed give the same model.
    """

    trees: int = 120
    leaves: int = 15
    min_leaf_rows: int = 200
    min_leaf_share: float = 0.005
    learning_rate: float = 0.06
    row_share: float = 0.6
    column_share: float = 0.6
    seed: int = 1


class _File(BaseModel):
    """What an artefact holds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format_version: int
    step_seconds: int
    horizon: int
    trained_to: int
    models: list[str] = Field(min_length=len(LEVELS), max_length=len(LEVELS))
    widths: list[list[float]] = Field(min_length=2, max_length=2)


class UnreadableArtefact(Exception):  # noqa: N818 - named as what it is
    """Bytes that are no boosted model of a known version."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantileBooster:
    """A trained model; safe to be asked by several threads.

    Attributes:
        layout: What it looks at.
        trained_to: Nothing after this time was learnt from, in milliseconds since 1970 UTC: forecasts from later
            origins are honest ones.
        models: One per level of `LEVELS`.
        widths: What the band has had to grow by in validation, shape (2, horizon): where `aci.widen` begins. It is not
            part of what `changes` and `quantiles` return.
    """

    layout: Layout
    trained_to: int
    models: "tuple[Booster, ...]"
    widths: Values

    def changes(self, seen: Moments) -> Values:
        """Quantiles of the change after each step.

        Args:
            seen: From `moments` with this layout.

        Returns:
            Shape (series, origins, levels, horizon), ascending along the levels; NaN where the scale is NaN.
        """
        usable = np.isfinite(seen.scale)
        knots = self.layout.knots
        told = np.full((*seen.scale.shape, len(self.models), self.layout.horizon), np.nan)
        count = int(usable.sum())
        if not count:
            return told
        rows = np.empty((count, len(knots), self.layout.feature_count), dtype=np.float32)
        rows[:, :, :-1] = seen.features[usable][:, None, :]
        rows[:, :, -1] = knots
        flat = rows.reshape(-1, self.layout.feature_count)
        quantiles = np.stack([_ask(model, flat) for model in self.models]).reshape(len(self.models), count, len(knots))
        quantiles.sort(axis=0)
        at_steps = quantiles @ self.layout.between_knots
        told[usable] = at_steps.transpose(1, 0, 2) * seen.scale[usable][:, None, None]
        return told

    def quantiles(self, values: Values, origins: NDArray[np.intp], *, end: NDArray[np.int64]) -> Values:
        """Quantiles of the series itself; arguments as of `moments`, result as of `changes`."""
        seen = moments(values, origins, end=end, layout=self.layout)
        return values[:, origins][..., None, None] + self.changes(seen)

    def dumps(self) -> bytes:
        """The artefact: gzipped JSON with the models in LightGBM's own text form."""
        text = json.dumps(
            {
                "format_version": FORMAT_VERSION,
                "step_seconds": self.layout.step_seconds,
                "horizon": self.layout.horizon,
                "trained_to": self.trained_to,
                "widths": [[round(width, 4) for width in side] for side in self.widths.tolist()],
                "models": [model.model_to_string() for model in self.models],
            }
        )
        return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def loads(artefact: bytes) -> QuantileBooster:
    """Read what `QuantileBooster.dumps` wrote.

    Raises:
        UnreadableArtefact: It is something else, or of another version; the message says what is wrong.
    """
    from lightgbm import Booster  # takes 100 MB that a forecaster without a model does not need
    from lightgbm.basic import LightGBMError

    try:
        file = _File.model_validate_json(gzip.decompress(artefact))
    except (OSError, EOFError, ValidationError) as error:
        raise UnreadableArtefact(f"artefact: {error}") from error
    if file.format_version != FORMAT_VERSION:
        raise UnreadableArtefact(f"format_version: {file.format_version} is not {FORMAT_VERSION}")
    try:
        layout = Layout(step_seconds=file.step_seconds, horizon=file.horizon)
        models = tuple(Booster(model_str=text) for text in file.models)
    except (ValueError, LightGBMError) as error:
        raise UnreadableArtefact(f"artefact: {error}") from error
    if any(model.num_feature() != layout.feature_count for model in models):
        raise UnreadableArtefact(f"models: another number of features than {layout.feature_count}")
    widths = np.array([side for side in file.widths if len(side) == layout.horizon])
    if widths.shape != (2, layout.horizon):
        raise UnreadableArtefact(f"widths: expected two of {layout.horizon}")
    return QuantileBooster(layout=layout, trained_to=file.trained_to, models=models, widths=widths)


def train(
    learnt: Examples, *, layout: Layout, trained_to: int, growth: Growth | None = None, threads: int = 1
) -> QuantileBooster:
    """Grow the trees.

    Args:
        learnt: From `examples` with this layout.
        layout: What the rows look at.
        trained_to: Time up to which the rows know, in milliseconds since 1970 UTC.
        growth: How.
        threads: Of LightGBM.

    Raises:
        ValueError: There are fewer than `MIN_ROWS` rows.
    """
    import lightgbm  # takes 100 MB that a forecaster without a model does not need

    if len(learnt.targets) < MIN_ROWS:
        raise ValueError(f"examples: {len(learnt.targets)} rows, at least {MIN_ROWS} are needed")
    grow = growth or Growth()
    shared: dict[str, object] = {
        "verbosity": -1,
        "num_threads": threads,
        "seed": grow.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_leaves": grow.leaves,
        "min_data_in_leaf": max(grow.min_leaf_rows, round(grow.min_leaf_share * len(learnt.targets))),
        "learning_rate": grow.learning_rate,
        "bagging_fraction": grow.row_share,
        "bagging_freq": 1,
        "feature_fraction": grow.column_share,
    }
    # The rows are sorted into bins once, for all three.
    rows = lightgbm.Dataset(learnt.rows, label=learnt.targets, params=shared)
    models = tuple(
        lightgbm.train({**shared, "objective": "quantile", "alpha": level}, rows, num_boost_round=grow.trees)
        for level in LEVELS
    )
    return QuantileBooster(layout=layout, trained_to=trained_to, models=models, widths=np.zeros((2, layout.horizon)))


def stacked(pasts: Sequence[Values]) -> Values:
    """Series of different length as one table that ends at their ends, NaN before their beginnings."""
    longest = max((len(values) for values in pasts), default=0)
    table = np.full((len(pasts), longest), np.nan)
    for row, values in zip(table, pasts, strict=True):
        row[longest - len(values) :] = values
    return table


def _ask(model: "Booster", rows: NDArray[np.float32]) -> Values:
    return np.asarray(model.predict(rows, num_threads=1), dtype=np.float64)
