"""Every structure has the size that the C compiler gives it: a wrong one is an unknown request to the kernel."""

import shutil
import subprocess
from ctypes import sizeof
from pathlib import Path

import pytest

from framefx.v4l2 import structs

STRUCTURES = {
    "Capability": "v4l2_capability",
    "FormatDescription": "v4l2_fmtdesc",
    "SizeDescription": "v4l2_frmsizeenum",
    "IntervalDescription": "v4l2_frmivalenum",
    "PixFormat": "v4l2_pix_format",
    "Format": "v4l2_format",
    "StreamParameters": "v4l2_streamparm",
    "RequestBuffers": "v4l2_requestbuffers",
    "Buffer": "v4l2_buffer",
    "Control": "v4l2_control",
    "ControlDescription": "v4l2_queryctrl",
    "MenuItem": "v4l2_querymenu",
    "EventSubscription": "v4l2_event_subscription",
    "Event": "v4l2_event",
}
FIELDS = {
    "Format": ["fmt"],
    "StreamParameters": ["parm.capture.timeperframe"],
    "Buffer": ["timestamp", "sequence", "memory", "m", "length"],
    "Event": ["u", "pending", "id"],
    "MenuItem": ["index"],
    "Capability": ["device_caps"],
}
REQUESTS = [
    *("QUERYCAP", "ENUM_FMT", "G_FMT", "S_FMT", "REQBUFS", "QUERYBUF", "QBUF", "DQBUF", "STREAMON", "STREAMOFF"),
    *("G_PARM", "S_PARM", "G_CTRL", "S_CTRL", "QUERYCTRL", "QUERYMENU", "ENUM_FRAMESIZES", "ENUM_FRAMEINTERVALS"),
    *("DQEVENT", "SUBSCRIBE_EVENT"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    compiler = shutil.which("gcc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("needs gcc and linux/videodev2.h: apt install gcc linux-libc-dev")
    lines = [f'printf("{name} %zu\\n", sizeof(struct {c}));' for name, c in STRUCTURES.items()]
    lines += [
        f'printf("{name}.{f} %zu\\n", offsetof(struct {STRUCTURES[name]}, {f}));'
        for name in FIELDS
        for f in FIELDS[name]
    ]
    lines += [f'printf("{name} %lu\\n", (unsigned long)VIDIOC_{name});' for name in REQUESTS]
    folder = tmp_path_factory.mktemp("sizes")
    body = "\n".join(lines)
    headers = "#include <stddef.h>\n#include <stdio.h>\n#include <linux/videodev2.h>\n"
    (folder / "sizes.c").write_text(f"{headers}int main(void) {{\n{body}\nreturn 0; }}\n")
    subprocess.run([compiler, "sizes.c", "-o", "sizes"], cwd=folder, check=True)
    printed = subprocess.run([folder / "sizes"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in map(str.split, printed.splitlines())}


def test_sizes_are_the_compilers(compiled):
    assert {name: sizeof(getattr(structs, name)) for name in STRUCTURES} == {n: compiled[n] for n in STRUCTURES}


def test_offsets_are_the_compilers(compiled):
    mine = {
        f"{name}.{f}": getattr(getattr(structs, name), f.rpartition(".")[2]).offset
        for name in FIELDS
        for f in FIELDS[name]
    }
    assert mine == {name: compiled[name] for name in mine}


def test_request_numbers_are_the_compilers(compiled):
    assert {name: getattr(structs, name) for name in REQUESTS} == {name: compiled[name] for name in REQUESTS}


@pytest.mark.parametrize("name", ["YUYV", "YU12", "NV12", "MJPG", "RGB3", "Y16"])
def test_a_format_name_survives_the_round_trip(name):
    assert structs.fourcc_name(structs.fourcc(name)) == name
