"""Batches, drawn in processes of their own and the same for the same seed.

Batch number n is drawn from a generator seeded by (seed, n): whichever process draws it, and
whether or not training was interrupted before, it holds the same samples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkContext
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training.augment import Recipe, Sampler
from framefx.training.coach import Coach, Lesson
from framefx.training.data import Item, load, split

Bytes = npt.NDArray[np.uint8]
#: Share of pictures laid over one another where a teacher is asked about every sample.
CROSSED = 0.25
Batch = tuple[Bytes, Bytes, "Lesson | None"]


def draw(sampler: Sampler, seed: int, number: int, count: int) -> tuple[Bytes, Bytes]:
    """Draw batch `number`: pictures (N, H, W, 3) and masks (N, h, w), uint8."""
    rng = np.random.default_rng((seed, number))
    samples = [sampler(rng) for _ in range(count)]
    return np.stack([s[0] for s in samples]), np.stack([s[1] for s in samples])


def cross(pictures: Bytes, seed: int, number: int, share: float) -> tuple[Bytes, npt.NDArray[np.bool_]]:
    """Lay `share` of a batch's pictures over one another; return the pictures and which were changed.

    No label says what a person is in two pictures at once, but a teacher's answer to any picture
    teaches (Beyer et al., Knowledge distillation: A good teacher is patient and consistent, 2022).
    """
    rng = np.random.default_rng((seed, number, 3))
    chosen = rng.random(len(pictures)) < share
    out = pictures.copy()
    height, width = pictures.shape[1:3]
    for k in np.flatnonzero(chosen):
        other = pictures[(k + 1) % len(pictures)]
        if rng.random() < 0.5:
            part = float(rng.uniform(0.15, 0.5))
            out[k] = cv2.addWeighted(pictures[k], 1 - part, other, part, 0)
        else:
            tall, wide = int(rng.integers(height // 4, height)), int(rng.integers(width // 4, width))
            y, x = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
            out[k, y : y + tall, x : x + wide] = other[y : y + tall, x : x + wide]
    return out, chosen


class Batches:
    """An endless iterator over batches from `start` on.

    Parameters
    ----------
    items : list of Item
    size : tuple of int
        Height and width of the pictures.
    recipe : Recipe
    count : int
        Samples per batch.
    seed, start : int
        The seed of the run and the number of the first batch.
    workers : int
        Processes to draw in; 0 draws in this one.
    coach : Path, optional
        The folder of a teacher that is asked about every sample.
    """

    def __init__(
        self,
        items: list[Item],
        size: tuple[int, int],
        recipe: Recipe,
        *,
        count: int,
        seed: int = 0,
        start: int = 0,
        workers: int = 1,
        coach: Path | None = None,
    ) -> None:
        self._sampler = Sampler(items, size, recipe)
        self._folder = coach
        self._coach: Coach | None = None
        self._count, self._seed, self._start, self._workers = count, seed, start, workers

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches in order of their numbers: pictures, masks, and the teacher's lesson if there is one."""
        if not self._workers:
            number = self._start
            while True:
                yield self._draw(number)
                number += 1
        yield from self._shared()

    def _draw(self, number: int) -> Batch:
        pictures, masks = draw(self._sampler, self._seed, number, self._count)
        if self._folder is None:
            return pictures, masks, None
        if self._coach is None:  # made where it is used: a runtime does not survive a fork
            self._coach = Coach(self._folder)
        pictures, crossed = cross(pictures, self._seed, number, CROSSED)
        mixed, lesson = self._coach(pictures, masks, crossed)
        return pictures, mixed, lesson

    def _shared(self) -> Iterator[Batch]:
        # OpenCV's pool of threads does not survive a fork: a child that needed it would wait for ever.
        cv2.setNumThreads(1)
        # Forked children share the decoded pictures with this process, page by page.
        context: ForkContext = get_context("fork")
        queues = [context.Queue(maxsize=4) for _ in range(self._workers)]
        children = [context.Process(target=self._fill, args=(queue, k), daemon=True) for k, queue in enumerate(queues)]
        for child in children:
            child.start()
        try:
            number = 0
            while True:
                yield queues[number % self._workers].get(timeout=300)
                number += 1
        finally:
            for child in children:
                child.terminate()

    def _fill(self, queue: object, worker: int) -> None:
        os.nice(5)  # drawing ahead must not slow down the step that is being computed
        number = self._start + worker
        while True:
            queue.put(self._draw(number))  # type: ignore[attr-defined]
            number += self._workers


def from_pack(path: Path) -> tuple[list[Item], list[Item]]:
    """Load a pack; return the items for training and those for validation."""
    return split(load(path))
