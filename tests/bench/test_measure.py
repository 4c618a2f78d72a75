from itertools import groupby

from framefx.bench.measure import Side, Timing, interleave
from framefx.bench.report import Figure, Report, Row, Suite, ratio, times


def test_sides_take_turns_and_get_what_was_made_for_them():
    log = []
    sides = [Side(name, lambda given: log.append(given), lambda name=name: name) for name in "ab"]
    timings = interleave(sides, 0, warm_up=1, least=3)
    turns = [name for name, _ in groupby(log)]
    assert set(turns) == {"a", "b"}
    assert len(turns) >= 3
    assert len(log) == 2 + sum(timing.runs for timing in timings)


def test_a_timing_counts_the_measured_runs_only():
    [timing] = interleave([Side("x", lambda _: sum(range(1000)))], 0, warm_up=2, least=4)
    assert timing.runs % 4 == 0
    assert 0 < timing.wall_min <= timing.wall_median
    assert 0 < timing.cpu_min <= timing.cpu_median


def test_what_is_made_for_a_run_is_not_measured():
    def slow():
        return sum(range(200_000))

    [timing] = interleave([Side("x", lambda _: None, slow)], 0, least=3)
    assert timing.cpu_median < 1


def test_ratios_say_how_many_times_the_other_takes():
    ours, other = Timing("framefx", 5, 2.0, 1.0, 3.0, 1.0), Timing("other", 5, 8.0, 5.0, 9.0, 5.0)
    assert ratio(other, ours) == 4
    assert times(4) == "4.0×"
    assert times(0.4) == "1/2.5×"


def test_what_is_short_of_the_wanted_figure_is_listed():
    ours, other = Timing("framefx", 5, 2.0, 1.0, 3.0, 1.0), Timing("other", 5, 8.0, 5.0, 9.0, 5.0)
    suite = Suite("s", "S", [Row("blur", "2x1", [ours, other], {"other": 6})], [Figure("copies", 2, "a frame", 1)])
    assert suite.short == ["blur 2x1 against other: 4.0×, wanted 6.0×", "copies: 2 a frame, wanted ≤ 1"]


def test_a_report_survives_json():
    row = Row("blur", "2x1", [Timing("framefx", 5, 2.0, 1.0, 3.0, 1.0)], {}, {"network": 1.0})
    report = Report({"cores": "2"}, "framefx bench", [Suite("s", "S", [row], [Figure("f", 1.0, "s", 2.0)], ["note"])])
    assert Report.from_json(report.to_json()) == report
