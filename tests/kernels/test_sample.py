"""Bilinear samples and their gradient against PyTorch's grid_sample and plain arithmetic."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framefx.kernels import sample_bilinear, sample_bilinear_grad

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 20)
seeds = st.integers(0, 2**32 - 1)


def picture(seed, height, width, channels):
    return np.random.default_rng(seed).random((height, width, channels), np.float32)


def places(seed, height, width, rows, columns):
    """Places inside, at the rim and far outside; none where the slope has a kink."""
    rng = np.random.default_rng(seed)
    grid = rng.uniform(-2.5, 1.5 + np.array([width, height]), (rows, columns, 2)).astype(np.float32)
    kink = np.abs(grid - np.round(grid)) < 1e-3
    return grid + kink.astype(np.float32) * np.float32(0.01)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch, which is compared with, is not installed")


def torchs(torch, grid, height, width, aligned):
    """Return places in pixels as PyTorch counts them, from -1 to 1."""
    at, size = torch.tensor(grid, dtype=torch.float64)[None], torch.tensor([width, height], dtype=torch.float64)
    # A picture of one pixel has no length between its outermost centres.
    return 2 * at / (size - 1).clamp(min=1e-9) - 1 if aligned else (2 * at + 1) / size - 1


@pytest.mark.parametrize("aligned", [True, False], ids=["align_corners", "half pixels"])
@reproducible
@given(st.integers(2, 20), st.integers(2, 20), st.integers(1, 4), sides, sides, seeds)
@example(2, 2, 1, 1, 1, 0)
def test_samples_and_gradient_are_torchs(torch, aligned, height, width, channels, rows, columns, seed):
    image = picture(seed, height, width, channels)
    grid = places(seed + 1, height, width, rows, columns)
    grad = picture(seed + 2, rows, columns, channels)
    at = torchs(torch, grid, height, width, aligned).requires_grad_()
    whole = torch.tensor(image, dtype=torch.float64).permute(2, 0, 1)[None]
    wanted = torch.nn.functional.grid_sample(whole, at, padding_mode="zeros", align_corners=aligned)
    wanted.backward(torch.tensor(grad, dtype=torch.float64).permute(2, 0, 1)[None])
    np.testing.assert_allclose(sample_bilinear(image, grid), wanted[0].permute(1, 2, 0).detach(), atol=1e-4)
    per_pixel = [2 / (side - 1 if aligned else side) for side in (width, height)]
    np.testing.assert_allclose(sample_bilinear_grad(image, grid, grad), at.grad[0] * torch.tensor(per_pixel), atol=1e-3)


@reproducible
@given(sides, sides, st.integers(1, 3), seeds)
def test_whole_numbers_are_pixel_centres(height, width, channels, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grid = np.stack([x, y], axis=-1)
    np.testing.assert_array_equal(sample_bilinear(image, grid), image)
    np.testing.assert_array_equal(sample_bilinear(image[..., 0].copy(), grid), image[..., 0])


@reproducible
@given(sides, sides, seeds)
def test_bytes_and_floats_agree(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    grid, grad = places(seed, height, width, 5, 7), picture(seed, 5, 7, 3)
    same = image.astype(np.float32)
    np.testing.assert_allclose(sample_bilinear(image, grid), sample_bilinear(same, grid), atol=1e-3)
    slopes = sample_bilinear_grad(image, grid, grad)
    np.testing.assert_allclose(slopes, sample_bilinear_grad(same, grid, grad), atol=1e-2)


def test_the_gradient_of_a_ramp_is_its_slope():
    y, x = np.mgrid[:12, :15].astype(np.float32)
    grid = np.array([[[3.3, 4.6], [8.5, 7.25]]], np.float32)
    np.testing.assert_allclose(sample_bilinear_grad(3 * x - 2 * y, grid, np.ones((1, 2), np.float32)), [[[3, -2]] * 2])


def test_the_gradient_is_what_a_small_step_changes():
    image, grid = picture(0, 9, 11, 2), places(1, 9, 11, 6, 6)
    grad = picture(2, 6, 6, 2)
    got = sample_bilinear_grad(image, grid, grad)
    for axis in range(2):
        step = np.zeros(2, np.float32)
        step[axis] = 1e-3
        change = (sample_bilinear(image, grid + step) - sample_bilinear(image, grid - step)) * grad
        np.testing.assert_allclose(got[..., axis], change.sum(-1) / 2e-3, atol=2e-2)


@pytest.mark.parametrize("place", [(np.nan, 1), (1, np.inf), (-np.inf, 1), (1e30, 1), (-1, 1), (1, 4)])
def test_outside_and_nowhere_is_nothing(place):
    image, grid = np.full((4, 5), 9, np.uint8), np.array([[place]], np.float32)
    assert sample_bilinear(image, grid) == 0
    assert not sample_bilinear_grad(image, grid, np.ones((1, 1), np.float32)).any()


def test_writes_where_it_is_told():
    image, grid = picture(0, 4, 5, 3), places(0, 4, 5, 2, 3)
    out, slopes = np.empty((2, 3, 3), np.float32), np.empty((2, 3, 2), np.float32)
    assert sample_bilinear(image, grid, out=out) is out
    assert sample_bilinear_grad(image, grid, out.copy(), out=slopes) is slopes


@pytest.mark.parametrize(
    ("image", "grid", "grad", "text"),
    [
        (np.zeros((4, 5), np.float64), None, None, "image: got float64"),
        (np.zeros(4, np.float32), None, None, r"image: got shape \(4,\)"),
        (None, np.zeros((2, 3, 2)), None, "grid: got float64"),
        (None, np.zeros((2, 3), np.float32), None, r"grid: got shape \(2, 3\)"),
        (None, None, np.zeros((2, 2), np.float32), r"grad: got shape \(2, 2\)"),
    ],
)
def test_refuses(image, grid, grad, text):
    given_or = [
        value if value is not None else otherwise
        for value, otherwise in zip(
            (image, grid, grad),
            (np.zeros((4, 5), np.uint8), np.zeros((2, 3, 2), np.float32), np.zeros((2, 3), np.float32)),
            strict=True,
        )
    ]
    with pytest.raises((TypeError, ValueError), match=text):
        sample_bilinear_grad(*given_or)
