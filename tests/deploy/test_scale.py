"""docs/scale.md is what its script computes."""

import pytest
from benchmarks.scale import PAGE, page
from benchmarks.scale_load import iot_core, loads_of, sizes


def test_the_page_is_what_the_script_computes() -> None:
    size = sizes()
    loads = loads_of(size)
    assert PAGE.read_text(encoding="utf-8") == page(size, loads), "compute it anew: make scale"
    for load in loads:
        assert sum(load.dollars().values()) < sum(load.naive().values())


def test_a_message_on_iot_core_is_paid_in_out_and_when_it_is_acknowledged() -> None:
    assert sum(iot_core(rule=False).values()) == pytest.approx(3_000 + 1e9 * 0.08e-6 / 6)
    assert sum(iot_core(rule=True).values()) < sum(iot_core(rule=False).values())
