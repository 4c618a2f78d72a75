"""Which input a body network wants, told by trying: networks built as MobileNet and ResNet are, with random weights."""

import numpy as np
import pytest

from framefx.models.bodypix import MOBILENET, RESNET, recognise
from framefx.protocols import Tensor

torch = pytest.importorskip("torch")
nn = torch.nn

SIDE = 129


class Session:
    """Runs a PyTorch module."""

    def __init__(self, network):
        self._network = network.eval()
        cells = (SIDE - 1) // 16 + 1
        self.inputs = [Tensor("sub_2", (1, SIDE, SIDE, 3), np.dtype(np.float32))]
        self.outputs = [Tensor("float_segments", (1, cells, cells, 1), np.dtype(np.float32))]
        self.buffer = np.zeros((1, SIDE, SIDE, 3), np.float32)

    def run(self, array, wanted):
        with torch.inference_mode():
            answer = self._network(torch.from_numpy(array).permute(0, 3, 1, 2))
        return {"float_segments": answer.permute(0, 2, 3, 1).numpy().copy()}


class Bottleneck(nn.Module):
    """He et al., 2015: activations that are not bounded, and a shortcut."""

    def __init__(self, given, made, stride):
        super().__init__()
        inner = made // 4
        self.body = nn.Sequential(
            nn.Conv2d(given, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU(),
            nn.Conv2d(inner, made, 1, bias=False), nn.BatchNorm2d(made),
        )  # fmt: skip
        self.shortcut = nn.Sequential(nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made))

    def forward(self, picture):
        return torch.relu(self.body(picture) + self.shortcut(picture))


def resnet():
    blocks = [Bottleneck(*sizes) for sizes in ((32, 64, 1), (64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 256, 1))]
    stem = [nn.Conv2d(3, 32, 7, 2, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.Conv2d(256, 1, 1))


def mobilenet():
    layers = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6()]
    for given, made, stride in ((16, 32, 1), (32, 64, 2), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)):
        layers += [nn.Conv2d(given, given, 3, stride, 1, groups=given, bias=False), nn.BatchNorm2d(given), nn.ReLU6()]
        layers += [nn.Conv2d(given, made, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU6()]
    return nn.Sequential(*layers, nn.Conv2d(256, 1, 1))


def trained(network, largest):
    """Give the batch norms the statistics of pictures of the network's own range, as training leaves them."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.5)
    network.train()
    with torch.no_grad():
        for _ in range(4):
            blocks = torch.rand(2, 3, 12, 12) * 2 * largest - largest
            network(nn.functional.interpolate(blocks, size=(SIDE, SIDE), mode="bilinear"))
    return network


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("make", "largest", "wanted"), [(mobilenet, 1.0, MOBILENET), (resnet, 127.5, RESNET)], ids=["mobilenet", "resnet"]
)
def test_the_backbone_is_told_by_its_answers(seed, make, largest, wanted):
    torch.manual_seed(seed)
    assert recognise(Session(trained(make(), largest))).preparation == wanted
