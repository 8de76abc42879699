"""`sensorcast backtest FILE.csv`: what the engine would have said of these measurements, beside what others say."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from sensorcast_common.clock import system_clock
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.readings import Rejected

_WIDTH: Final = 96
_TOLD: Final = 5
"""Cells that are no readings, named one by one."""


class _Outputs(NamedTuple):
    figures: Path | None
    forecasts: Path | None
    picture: Path | None


def backtest(
    file: Annotated[Path, typer.Argument(help="CSV with a time column and one column per sensor.")],
    *,
    columns: Annotated[str, typer.Option(help="Columns to test, separated by commas (default: all)")] = "",
    step: Annotated[str, typer.Option(help="Distance of two forecast points (default: chosen per column)")] = "",
    horizon: Annotated[str, typer.Option(help="How far ahead.")] = "1h",
    origins: Annotated[int, typer.Option(min=1, max=100_000, help="Forecasts per column.")] = 100,
    limit: Annotated[str, typer.Option(metavar="above:8", help="Judge predicted breaches of this limit.")] = "",
    warn_at: Annotated[float, typer.Option(min=0.01, max=1.0, help="Probability that counts as predicted.")] = 0.5,
    test_share: Annotated[float, typer.Option(min=0.01, max=0.95, help="Newest part, which is the test.")] = 0.3,
    only: Annotated[str, typer.Option(help="Forecasters to run beside naive (default: all)")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the figures there.")] = None,
    forecasts: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Write the engine's forecasts there, for sensorcast rules test."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw some forecasts.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Column with the time (default: found by its name)")] = None,
    time_zone: Annotated[str, typer.Option(help="Of times that name none.")] = "UTC",
) -> None:
    """Forecast the newest part of a recording from many past moments, and compare with what came."""
    try:
        _run(
            file,
            columns=_names(columns),
            step=step,
            horizon=horizon,
            origins=origins,
            limit=limit,
            warn_at=warn_at,
            test_share=test_share,
            only=_names(only),
            outputs=_Outputs(json_file, forecasts, plot),
            time_column=time_column,
            time_zone=time_zone,
        )
    except CsvFault as fault:
        typer.echo(f"sensorcast: {fault}", err=True)
        raise typer.Exit(code=1) from fault


def _run(
    file: Path,
    *,
    columns: Sequence[str],
    step: str,
    horizon: str,
    origins: int,
    limit: str,
    warn_at: float,
    test_share: float,
    only: Sequence[str],
    outputs: _Outputs,
    time_column: str | None,
    time_zone: str,
) -> None:
    # These take seconds to import, which the other commands need not wait for.
    try:
        from rich.console import Console

        from sensorcast_forecaster.backtest import options, plot, table
        from sensorcast_forecaster.backtest.reading import read_file
        from sensorcast_forecaster.backtest.session import Asked, test_all
    except ImportError as error:
        raise CsvFault(f"{error}: install sensorcast-forecaster[backtest]") from error

    _require_folders(outputs)
    asked = Asked(
        horizon_seconds=options.parse_seconds("--horizon", horizon),
        origins=origins,
        limit=options.parse_limit(limit) if limit else None,
        warn_at=warn_at,
        test_share=test_share,
        only=only,
    )
    step_seconds = options.parse_step(step) if step else None
    read = read_file(
        file,
        columns=columns,
        step_seconds=step_seconds,
        time_column=time_column,
        time_zone=time_zone,
        now=system_clock(),
    )
    aside = Console(stderr=True)
    # Rather let a narrow terminal break lines than leave figures out.
    console = Console(width=max(_WIDTH, aside.width))
    _tell_rejected(file, read.rejected, lambda line: aside.print(line, style="yellow", markup=False))
    tested, untested = test_all(read.recordings, asked, console=aside)
    for reason in (*read.unusable, *untested):
        aside.print(f"not tested: {reason}", style="yellow", markup=False)
    if not tested:
        raise CsvFault(f"{file}: no column can be tested: {'; '.join((*read.unusable, *untested))}")
    for one in (*map(table.table_of, tested), *([table.mean_table(tested)] if len(tested) > 1 else [])):
        console.print(one)
    if outputs.figures is not None:
        text = json.dumps([table.as_json(each) for each in tested], indent=1)
        _written("--json", outputs.figures, lambda path: path.write_text(text, encoding="utf-8"))
    if outputs.forecasts is not None:
        lines = table.as_lines(tested)
        _written("--forecasts", outputs.forecasts, lambda path: path.write_text(lines, encoding="utf-8"))
    if outputs.picture is not None:
        _written("--plot", outputs.picture, lambda path: plot.save(tested, path))


def _require_folders(outputs: _Outputs) -> None:
    for option, path in (
        ("--json", outputs.figures),
        ("--forecasts", outputs.forecasts),
        ("--plot", outputs.picture),
    ):
        if path is not None and not path.absolute().parent.is_dir():
            raise CsvFault(f"{option}: folder {path.parent} does not exist")


def _tell_rejected(file: Path, rejected: Sequence[Rejected], tell: Callable[[str], object]) -> None:
    for each in rejected[:_TOLD]:
        where = f", column {each.column!r}" if each.column else ""
        tell(f"{file}: row {each.row}{where}: {each.reason}; left out")
    if len(rejected) > _TOLD:
        tell(f"{file}: {len(rejected) - _TOLD} more cells or rows left out")


def _written(option: str, path: Path, write: Callable[[Path], object]) -> None:
    try:
        write(path)
    except (OSError, ValueError) as error:
        raise CsvFault(f"{option}: {path}: {error}") from error


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
