"""The suite ``kernels``: every picture operation beside the calls that make the same picture elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from framefx.bench import pytorch
from framefx.bench.contests import MERGE, Call, Operands, contests
from framefx.bench.measure import Side, interleave
from framefx.bench.report import Row, Suite
from framefx.bench.scene import NAMED_SIZES, Scene

SHARE = 0.25
"""A row of this suite gets this part of the seconds of a row of `chain`: its runs are shorter."""


def run(scenes: Sequence[Scene], seconds: float, *, compiled: bool = True) -> Suite:
    """Measure every operation at every size; PyTorch takes part where it is installed."""
    suite = Suite("kernels", "Kernels: one operation each, into memory that is there")
    for scene in scenes:
        operands = Operands(scene)
        for contest in contests(operands):
            sides = [_side("framefx", contest.ours), *(_side(n, call) for n, call in contest.others.items())]
            wants = dict(contest.wants)
            if contest.name == MERGE and pytorch.available():
                compiling = compiled and scene is scenes[0]  # it takes seconds for every size
                more, best = pytorch.merge_sides(operands.picture, operands.other, operands.mask, compiled=compiling)
                sides += more
                suite.notes.append(f"{MERGE} {scene.label}: PyTorch's best form was '{best}'")
                wants |= {pytorch.BEST: 5.0} if scene.size == NAMED_SIZES["720p"] else {}
            suite.rows.append(Row(contest.name, scene.label, interleave(sides, seconds * SHARE), wants))
    if not pytorch.available():
        suite.notes.append("PyTorch is not installed and took no part: `pip install torch`")
    return suite


def _side(name: str, call: Call) -> Side:
    return Side(name, lambda _: call())
