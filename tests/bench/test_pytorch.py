"""Every form of PyTorch's blend makes the same picture, so that the comparison is fair."""

import numpy as np
import pytest

from framefx.bench import pytorch
from framefx.bench.contests import portrait_mask
from framefx.kernels import masked_merge

torch = pytest.importorskip("torch")


@pytest.fixture
def operands():
    rng = np.random.default_rng(0)
    base, top = (rng.integers(0, 256, (90, 160, 3), np.uint8) for _ in range(2))
    return base, top, portrait_mask((18, 32))


def test_every_form_blends_as_masked_merge_does(operands):
    wanted = masked_merge(*operands).astype(float)
    for name, form in pytorch.eager_forms(torch, *operands).items():
        made = form().float().numpy()
        made = made.transpose(1, 2, 0) if made.shape[0] == 3 else made
        assert np.abs(made - wanted).mean() < 1, name


def test_the_authors_form_gives_a_full_size_picture():
    made = pytorch.author_form(torch, (90, 160), portrait_mask((18, 32)))()
    assert tuple(made.shape) == (1, 3, 90, 160)


def test_the_fastest_form_is_named(operands):
    sides, best = pytorch.merge_sides(*operands, compiled=False)
    assert [side.name for side in sides] == [pytorch.AUTHOR, pytorch.BEST]
    assert best in pytorch.eager_forms(torch, *operands)
