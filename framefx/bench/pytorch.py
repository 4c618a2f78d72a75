"""Blending with PyTorch on the processor: as a forum post wrote it, and every faster form we could think of."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.bench.measure import Side, one_thread

U8 = npt.NDArray[np.uint8]
Form = Callable[[], Any]

AUTHOR = "PyTorch, the author's form"
BEST = "PyTorch, the best form"


def available() -> bool:
    """Tell whether PyTorch is installed, without importing it."""
    return importlib.util.find_spec("torch") is not None


def merge_sides(base: U8, top: U8, mask: U8, *, compiled: bool = True) -> tuple[list[Side], str]:
    """Return the author's form and the fastest of ours as sides, and the name of that fastest form.

    Parameters
    ----------
    base, top : (h, w, 3) uint8
    mask : (mh, mw) uint8
    compiled : bool
        Try `torch.compile` too: some seconds, and a C++ compiler.
    """
    torch = importlib.import_module("torch")
    forms = eager_forms(torch, base, top, mask)
    if compiled and (shutil.which("g++") or shutil.which("clang++")):
        forms |= compiled_forms(torch, base, top, mask)
    with one_thread():
        took = {name: _fastest_of(form) for name, form in forms.items()}
    best = min(took, key=lambda name: took[name])
    author = author_form(torch, base.shape[:2], mask)
    return [Side(AUTHOR, lambda _: author()), Side(BEST, lambda _, form=forms[best]: form())], best  # type: ignore[misc]


def author_form(torch: Any, size: tuple[int, ...], mask: U8) -> Form:
    """Return the blend of the post, without its network: float pictures of 512 × 256, `nearest` to full size.

    What comes out has a quarter of the sharpness and is not yet bytes; both would cost more.
    """
    small = (256, 512)
    logits = torch.from_numpy(mask).float()[None, None] / 127.5 - 1
    logits = torch.nn.functional.interpolate(logits, small, mode="bilinear")
    stacked = torch.rand(1, 7, *small)

    def forward() -> Any:
        with torch.inference_mode():
            picture, overlay, alpha = torch.split(stacked, [3, 3, 1], dim=1)
            alpha[logits.sigmoid() > 0.5] = 0
            mixed = overlay * alpha + picture * (1 - alpha)
            return torch.nn.functional.interpolate(mixed, size, mode="nearest")

    return forward


def eager_forms(torch: Any, base: U8, top: U8, mask: U8) -> dict[str, Form]:
    """Return forms that need no compiler; all but the first have pictures in the layout that suits them for free."""
    size = base.shape[:2]
    below, above, small = torch.from_numpy(base), torch.from_numpy(top), torch.from_numpy(mask)
    wide = (torch.empty(base.shape), torch.empty(base.shape), torch.empty_like(below))
    planes = [t.permute(2, 0, 1).contiguous() for t in (below, above)]
    floats = [t.float() for t in planes]
    shorts = [t.to(torch.int16) for t in planes]
    halves = [t.bfloat16() for t in planes]
    outs = {t.dtype: torch.empty_like(t) for t in (floats[0], shorts[0], halves[0])}

    def enlarge(values: Any) -> Any:
        return torch.nn.functional.interpolate(values[None, None], size, mode="bilinear", align_corners=False)[0, 0]

    def interleaved_bytes() -> Any:
        wide[0].copy_(below)
        wide[1].copy_(above)
        torch.lerp(wide[0], wide[1], enlarge(small.float()).mul_(1 / 255)[..., None], out=wide[0])
        return wide[2].copy_(wide[0])

    def planar_float32() -> Any:
        return torch.lerp(*floats, enlarge(small).float().mul_(1 / 255), out=outs[torch.float32])

    def planar_bfloat16() -> Any:
        weight = enlarge(small.float()).mul_(1 / 255).bfloat16()
        return torch.lerp(*halves, weight, out=outs[torch.bfloat16])

    def planar_int16() -> Any:
        weight = enlarge(small).to(torch.int16).bitwise_right_shift_(1)
        out = outs[torch.int16]
        torch.sub(shorts[1], shorts[0], out=out)
        return out.mul_(weight).bitwise_right_shift_(7).add_(shorts[0])

    forms = (interleaved_bytes, planar_float32, planar_bfloat16, planar_int16)
    return {form.__name__.replace("_", " "): _inferring(torch, form) for form in forms}


def compiled_forms(torch: Any, base: U8, top: U8, mask: U8) -> dict[str, Form]:
    """Return blends that `torch.compile` fuses into one loop over bytes; none where it fails."""
    size = base.shape[:2]
    planes = [torch.from_numpy(p).permute(2, 0, 1).contiguous() for p in (base, top)]
    small = torch.from_numpy(mask)

    def enlarge() -> Any:
        return torch.nn.functional.interpolate(small[None, None], size, mode="bilinear", align_corners=False)[0, 0]

    def blend(below: Any, above: Any, weight: Any) -> Any:
        base = below.float()
        return (base + (above.float() - base) * (weight.float() * (1 / 255))).to(torch.uint8)

    fused = torch.compile(blend, dynamic=False)
    form = _inferring(torch, lambda: fused(*planes, enlarge()))
    try:
        form()
    except Exception:  # a compiler that does not work: the other forms are there
        return {}
    return {"torch.compile, planar bytes": form}


def _inferring(torch: Any, form: Form) -> Form:
    def run() -> Any:
        with torch.inference_mode():
            return form()

    return run


def _fastest_of(form: Form, runs: int = 7) -> float:
    form()
    taken = []
    for _ in range(runs):
        start = time.process_time()
        form()
        taken.append(time.process_time() - start)
    return min(taken)


def shapes(forms: Mapping[str, Form]) -> dict[str, tuple[int, ...]]:
    """Run each form once and return the shapes of what they make."""
    return {name: tuple(form().shape) for name, form in forms.items()}
