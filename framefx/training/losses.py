"""What training minimises: pixelwise, by region, along the rim, and over time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class LossWeights:
    """Shares of the parts of the loss.

    Attributes
    ----------
    dice : float
        Weight of the region term beside the pixelwise one.
    rim : float
        How much more a pixel at the mask's rim counts than another.
    focal : float
        Exponent of the focal factor; 0 is plain binary cross-entropy.
    consistency : float
        Weight of the difference between a picture's mask, moved, and the moved picture's mask.
    imitation : float
        Weight of the difference between the teacher's inner maps and what is made of ours.
    """

    dice: float = 0.5
    rim: float = 2.0
    focal: float = 0.0
    consistency: float = 0.0
    imitation: float = 0.0


def rim(target: Tensor, width: int = 2) -> Tensor:
    """Return 1 within `width` pixels of the mask's border and 0 elsewhere, shape of `target`."""
    side = 2 * width + 1
    high = functional.max_pool2d(target, side, 1, width)
    low = -functional.max_pool2d(-target, side, 1, width)
    return ((high - low) > 0.5).to(target.dtype)


def pixelwise(logits: Tensor, target: Tensor, weights: LossWeights) -> Tensor:
    """Weighted binary cross-entropy; (N, 1, h, w) both, `target` in 0..1."""
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if weights.focal:
        loss = loss * (logits.sigmoid() - target).abs().detach() ** weights.focal
    weight = 1 + weights.rim * rim(target)
    return (loss * weight).sum() / weight.sum()


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice coefficient, per picture, then the mean.

    The added constant (2 % of the picture) makes the term a mild one on pictures without people,
    where a single wrong pixel would otherwise count as a whole wrong person.
    """
    probability = logits.sigmoid().flatten(1)
    flat = target.flatten(1)
    small = 0.02 * flat.shape[1]
    both = (probability * flat).sum(1)
    total = probability.sum(1) + flat.sum(1)
    return (1 - (2 * both + small) / (total + small)).mean()


def consistency(first: Tensor, second: Tensor, shift: tuple[int, int]) -> Tensor:
    """Mean difference between two masks where one picture was moved by `shift` (y, x) pixels.

    Parameters
    ----------
    first, second : Tensor
        Logits, (N, 1, h, w), of the pictures and of the same pictures moved.
    shift : tuple of int
        Down and right, in pixels of the mask.
    """
    moved = torch.roll(first.sigmoid(), shift, (2, 3))
    y, x = abs(shift[0]), abs(shift[1])
    height, width = first.shape[2:]
    # What came in at the border has no counterpart.
    inner = (slice(None), slice(None), slice(y, height - y), slice(x, width - x))
    return functional.l1_loss(moved[inner], second.sigmoid()[inner])


def total(logits: Tensor, target: Tensor, weights: LossWeights) -> Tensor:
    """The loss without the term over time; of several classes the last is the person."""
    person = person_logit(logits)
    return pixelwise(person, target, weights) + weights.dice * dice(person, target)


def person_logit(logits: Tensor) -> Tensor:
    """Log-odds of the last class against all others, (N, 1, h, w)."""
    if logits.shape[1] == 1:
        return logits
    return logits[:, -1:] - logits[:, :-1].logsumexp(1, keepdim=True)


def person_probability(logits: Tensor) -> Tensor:
    """Probability of the last class, (N, h, w)."""
    return person_logit(logits).sigmoid()[:, 0]
