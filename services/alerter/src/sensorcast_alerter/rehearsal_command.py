"""The command `sensorcast rules test`: what rules would have done with measurements of the past."""

import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sensorcast_alerter.rehearsal_file import read_forecasts, read_measurements
from sensorcast_alerter.rehearsal_labels import labels_of
from sensorcast_alerter.rehearsal_plot import draw
from sensorcast_alerter.rules_file import RulesFileError, parse_file
from sensorcast_common.clock import rfc3339, system_clock
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.rule import Rule
from sensorcast_rules.outcome import Rehearsal
from sensorcast_rules.rehearse import rehearse


def rehearse_file(
    file: Annotated[Path, typer.Argument(help="Products and rules in YAML.", exists=True, dir_okay=False)],
    data: Annotated[Path, typer.Option(help="CSV with a time column and one column per sensor.", exists=True)],
    forecasts: Annotated[
        Path | None, typer.Option(help="Forecasts of that time, one as JSON a line.", exists=True)
    ] = None,
    device: Annotated[str | None, typer.Option(help="Whose columns they are; by default named after the file.")] = None,
    columns_are_devices: Annotated[
        str | None, typer.Option(help="Every column is a device of its own; the metric they all measure.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label of every device, as name=value; repeatable.")] = None,
    labels: Annotated[Path | None, typer.Option(help="YAML: by device its labels.", exists=True)] = None,
    time_zone: Annotated[str, typer.Option(help="Of times that name none.")] = "UTC",
    plot: Annotated[Path | None, typer.Option(help="Draw measurements and incidents into this PNG.")] = None,
) -> None:
    """Replay measurements through rules: which alerts, which came true, how long ahead, how many SMS."""
    try:
        rules = parse_file(file.read_text(encoding="utf-8")).rules
        tenant = _tenant(rules)
        readings, rejected = read_measurements(
            data,
            tenant=tenant,
            device=device,
            columns_are_devices=columns_are_devices,
            time_zone=time_zone,
            now=system_clock(),
        )
        known = read_forecasts(forecasts, tenant=tenant) if forecasts else []
        devices = {(each.tenant, each.device) for each in readings}
        known_labels = labels_of(sorted(devices), rules, pairs=label or (), file=labels)
        rehearsal = asyncio.run(rehearse(rules, readings, known, labels=known_labels))
        if plot is not None:
            draw(plot, readings, rehearsal)
    except (RulesFileError, CsvFault, UnicodeDecodeError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except ImportError as error:
        typer.echo(f"--plot: {error}: install sensorcast-alerter[plot]", err=True)
        raise typer.Exit(2) from error
    for line in report(rehearsal, rejected=len(rejected)):
        typer.echo(line)


def report(rehearsal: Rehearsal, *, rejected: int) -> list[str]:
    """The result in lines: each incident, then the counts."""
    lines = [
        f"{rfc3339(each.opened_at)}  {each.rule_id}  {each.device} {each.metric}  {each.side} {each.threshold:g}  "
        f"{outcome}  {each.reason}  until {rfc3339(each.resolved_at) if each.resolved_at else 'the end'}"
        for each, outcome in zip(rehearsal.incidents, rehearsal.outcomes, strict=True)
    ]
    estimated = f" ({rehearsal.estimated} made without these limits: risks estimated)" if rehearsal.estimated else ""
    lines.append(f"{rehearsal.readings} readings ({rejected} rejected), {rehearsal.forecasts} forecasts{estimated}")
    lines.append(f"{len(rehearsal.incidents)} alerts, {rehearsal.sms} SMS")
    lines.append(
        f"{rehearsal.came_true} predicted and came true, {rehearsal.false_alarms} false alarms, "
        f"{rehearsal.missed} missed, {rehearsal.unforeseeable} of which no forecast could have warned"
    )
    if rehearsal.lead_minutes:
        lines.append(f"warned {statistics.median(rehearsal.lead_minutes):.0f} minutes ahead (median)")
    return lines


def _tenant(rules: Sequence[Rule]) -> str:
    tenants = sorted({rule.tenant for rule in rules})
    if len(tenants) != 1:
        raise CsvFault(f"tenant: expected the rules of one tenant, got {', '.join(tenants) or 'none'}")
    return tenants[0]
