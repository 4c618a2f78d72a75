"""What the kernels refuse, and what they say about it."""

import threading

import numpy as np
import pytest

from framefx import kernels

PIXELS = np.zeros((6, 8, 3), np.uint8)
PLANE = np.zeros((6, 8), np.uint8)
FLAT = np.zeros(6 * 8 + 2 * 3 * 4, np.uint8)


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


CALLS = {
    "box_blur": lambda **k: kernels.box_blur(PIXELS, 2, **k),
    "color_matrix_lut": lambda **k: kernels.color_matrix_lut(PIXELS, np.eye(3), **k),
    "dilate": lambda **k: kernels.dilate(PLANE, 2, **k),
    "downsample": lambda **k: kernels.downsample(PIXELS, 1, **k),
    "ema": lambda **k: kernels.ema(PLANE.astype(np.uint16), PLANE, 0.5, **k),
    "guided_filter": lambda **k: kernels.guided_filter(PLANE, PLANE, 2, 0.1, **k),
    "i420_to_rgb": lambda **k: kernels.i420_to_rgb(FLAT, (6, 8), **k),
    "levels": lambda **k: kernels.levels(np.zeros((6, 8, 2), np.float32), **k),
    "masked_blur": lambda **k: kernels.masked_blur(PIXELS, PLANE, 2, **k),
    "masked_merge": lambda **k: kernels.masked_merge(PIXELS, PIXELS, PLANE, **k),
    "over": lambda **k: kernels.over(PIXELS, None, PIXELS, None, **k),
    "premultiply": lambda **k: kernels.premultiply(PIXELS, PLANE, **k),
    "region_blur": lambda **k: kernels.region_blur(PIXELS, None, 2, 1, **k),
    "rgb_to_i420": lambda **k: kernels.rgb_to_i420(PIXELS, **k),
    "soft_range": lambda **k: kernels.soft_range(PLANE, 1, 2, **k),
    "upsample_mask": lambda **k: kernels.upsample_mask(PLANE, k["out"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_read_only_destination_is_refused(name):
    call = CALLS[name]
    out = call(out=(6, 8)) if name == "upsample_mask" else call()
    with pytest.raises(ValueError, match="out: got a read-only array, want a writable one"):
        call(out=frozen(out))


@pytest.mark.parametrize("name", CALLS)
def test_a_destination_of_another_type_is_refused(name):
    with pytest.raises(TypeError, match="out: got float32"):
        CALLS[name](out=np.zeros((6, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("pixels", "error", "text"),
    [
        ([[1]], TypeError, "got list, want a C-contiguous uint8 array"),
        (PIXELS.astype(float), TypeError, r"got float64 \(6, 8, 3\), want"),
        (PLANE, ValueError, r"got shape \(6, 8\), want .*height, width, 3"),
        (PIXELS[:0], ValueError, r"got shape \(0, 8, 3\)"),
        (np.zeros((6, 8, 4), np.uint8), ValueError, r"got shape \(6, 8, 4\)"),
        (PIXELS[:, ::2], ValueError, "numpy.ascontiguousarray"),
    ],
)
def test_bad_pixels_are_named(pixels, error, text):
    with pytest.raises(error, match=text):
        kernels.downsample(pixels, 2)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: kernels.masked_merge(PIXELS, PIXELS[:3], PLANE), r"top: got shape \(3, 8, 3\), want .*\(6, 8, 3\)"),
        (lambda: kernels.masked_merge(PIXELS, PIXELS, PLANE, factor=2), r"top: got .* want .*\(3, 4, 3\)"),
        (lambda: kernels.masked_merge(PIXELS, PIXELS, PLANE, factor=0), "factor: got 0, want 1 to 64"),
        (lambda: kernels.masked_merge(PIXELS, PIXELS, PLANE, top_alpha=PLANE[:3]), "top_alpha: got shape"),
        (lambda: kernels.masked_merge(PIXELS, PIXELS, PLANE, out=PIXELS.reshape(-1)), "out: got shape"),
        (lambda: kernels.box_blur(PIXELS, -1), "radius: got -1, want 0 to"),
        (lambda: kernels.box_blur(PIXELS, float("nan")), "radius: got nan"),
        (lambda: kernels.dilate(PLANE, -1), "radius: got -1"),
        (lambda: kernels.ema(PLANE.astype(np.uint16), PLANE, 2), "weight: got 2, want 0 to 1"),
        (lambda: kernels.ema(frozen(PLANE.astype(np.uint16)), PLANE, 1), "state: got a read-only"),
        (lambda: kernels.soft_range(PLANE, 9, 3), "low: got 9, want 0 to 3"),
        (lambda: kernels.guided_filter(PLANE, PLANE, 3, 0), "eps: got 0"),
        (lambda: kernels.color_matrix_lut(PIXELS, np.eye(2)), r"matrix: got shape \(2, 2\)"),
        (lambda: kernels.color_matrix_lut(PIXELS, np.eye(3) * np.nan), "finite"),
        (lambda: kernels.color_tables(gamma=0), "gamma: got 0, want more than 0"),
        (lambda: kernels.prepare(PIXELS, np.zeros((4, 4, 3), np.uint8), fit="crop"), "fit: got 'crop', want 'stretch'"),
        (lambda: kernels.prepare(PIXELS, np.zeros((4, 4, 4), np.uint8)), "out: got shape"),
        (lambda: kernels.rgb_to_i420(PIXELS, matrix="bt2020"), "matrix: got 'bt2020', want 'bt601' or 'bt709'"),
        (lambda: kernels.i420_to_rgb(FLAT, (6, 9)), "src: got shape"),
    ],
)
def test_bad_arguments_are_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_a_destination_that_overlaps_a_source_is_refused():
    memory = np.zeros(2 * PIXELS.size, np.uint8)
    src, out = memory[: PIXELS.size].reshape(PIXELS.shape), memory[3 : 3 + PIXELS.size].reshape(PIXELS.shape)
    with pytest.raises(ValueError, match="out: got memory that a source of the same call uses"):
        kernels.box_blur(src, 1, out=out)


def test_read_only_sources_are_taken():
    pixels, plane = frozen(PIXELS), frozen(PLANE)
    kernels.masked_merge(pixels, pixels, plane)
    kernels.color_matrix_lut(pixels, np.eye(3))
    kernels.region_blur(pixels, plane, 4, 2)


def test_threads_do_not_disturb_each_other():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (4, 300, 400, 3), np.uint8)
    mask = rng.integers(0, 256, (36, 64), np.uint8)

    def work(src):
        return kernels.masked_merge(src, kernels.region_blur(src, mask, 7, 4), mask, factor=4)

    wanted, got = [work(src) for src in pictures], {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: work(pictures[i])})) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(got[i], wanted[i]) for i in range(4))


def test_every_name_is_there_once():
    assert sorted(set(kernels.__all__)) == kernels.__all__
    assert all(getattr(kernels, name).__doc__ for name in kernels.__all__)
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        kernels.sharpen  # noqa: B018
