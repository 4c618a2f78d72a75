"""``framefx explain``: what a chain would do, before anything opens."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from framefx.cli.main import add_chain_options, log_to_stderr
from framefx.cli.run import compiling_line
from framefx.cli.settings import make_job
from framefx.errors import UsageError
from framefx.frame import Size
from framefx.job import Job
from framefx.options import parse_size
from framefx.plan import Plan
from framefx.steps import BoundStep, Group, Move


def main(argv: Sequence[str]) -> int:
    """Print layers, models, steps, copies and measured cost of a chain."""
    parser = argparse.ArgumentParser(
        prog="framefx explain", description="Print what a chain would do.", allow_abbrev=False
    )
    add_chain_options(parser)
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="frame size to measure at, in pixels")
    parser.add_argument("--no-cost", action="store_true", help="measure nothing")
    options = parser.parse_args(argv[1:])
    log_to_stderr()
    try:
        size: Size = parse_size(options.size)
    except ValueError as error:
        raise UsageError(f"--size {options.size}: wanted {error}") from error
    job = make_job(options)
    with compiling_line():
        plan = job.plan()
        costs = {} if options.no_cost else _costs(plan, size)
    sys.stdout.write(text(job, plan, size, costs))
    plan.close()
    return 0


def text(job: Job, plan: Plan, size: Size, costs: dict[str, float]) -> str:
    """Return the explanation of a plan."""
    height, width = plan.output_size(size)
    lines = [f"chain: {plan.stack}", ""]
    lines += ["models:"] + [f"  {m.name}: gives {', '.join(m.wanted)}" for m in plan.layers.models] or []
    if not plan.layers.models:
        lines[-1] = "models: none is loaded"
    lines += ["layers:"] + [f"  {name}: {origin}" for name, origin in plan.layers.describe()]
    if not plan.layers.names:
        lines[-1] = "layers: none is computed"
    if costs and plan.needs_layers:
        lines[-1] += f"\n  all of them: {costs.get('layers', 0.0):.2f} ms"
    lines += ["steps:"]
    for op in plan.ops:
        if isinstance(op, Move):
            lines.append(f"  geometry, one resampling{_cost(costs, 'warp')}")
        elif isinstance(op, Group):
            merged = f", merged once{_cost(costs, 'merge')}" if op.where.terms else ""
            lines.append(f"  group on {op.where}{merged}")
        lines += [f"    {_step(bound, costs)}" for bound in op.steps]
    lines += [f"masks: {job.masks}" + (f", at most {job.mask_rate:g} a second" if job.mask_rate else "")]
    if job.settings.mask.every > 1:
        lines += [f"  one look serves up to {job.settings.mask.every} frames while the picture stands still"]
    if job.settings.mask.roi:
        lines += ["  the model looks at a part of the picture, around the person"]
    lines += [f"threads for a network: {job.threads} (priority {job.settings.priority})"]
    lines += [f"output: {width}x{height} for {size[1]}x{size[0]}"]
    if costs:
        lines += [f"copies: {costs['copies']:.2f} a frame; total {costs['total']:.2f} ms a frame at this size"]
    return "\n".join(lines) + "\n"


def _step(bound: BoundStep, costs: dict[str, float]) -> str:
    if bound.dead:
        return f"{bound.label}: dead, a later step of its group ignores what it makes"
    needs = ", ".join(bound.needs)
    options = ":".join(f"{name}={value}" for name, value in bound.options.items() if value is not None)
    state = ", keeps state" if bound.step.stateful else ""
    return f"{bound.label}({needs}) {options}{state}{_cost(costs, bound.label)}"


def _cost(costs: dict[str, float], name: str) -> str:
    return f": {costs[name]:.2f} ms" if name in costs else ""


def _costs(plan: Plan, size: Size) -> dict[str, float]:
    """Run the plan on a synthetic picture and return the median milliseconds of each step."""
    from framefx.timing import Timings
    from framefx.warmup import probe_frame

    timings = Timings()
    runs = 9
    plan.run(probe_frame(size, 0))
    copies = plan.pool.copies
    plan.observe([timings])
    for index in range(1, runs + 1):
        plan.run(probe_frame(size, index))
    plan.observe([])
    costs = {step.step: step.median for step in timings.steps()}
    return {**costs, "total": sum(costs.values()), "copies": (plan.pool.copies - copies) / runs}
