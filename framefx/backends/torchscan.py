"""What a PyTorch file is, and what loading it would do, told from its bytes before PyTorch sees them.

Pickles run any code that they name. A TorchScript archive and a ``torch.export`` program are zip files of JSON, of
TorchScript's own language and of tensors; but `torch.export.load` reaches for the unpickler where a file asks for
it, evaluates the expressions of sizes that were left open, and calls any function of the module `torch` that a node
names. A file that asks for such things is refused.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from framefx.errors import ModelError

Kind = Literal["script", "export", "safetensors"]
"""TorchScript, a `torch.export` program, or weights alone."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, OSError, RuntimeError, ValueError)
"""What `zipfile` and `json` raise for damaged files."""

_ZIP = b"PK\x03\x04"
_OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims|quantized_decomposed|torchvision|higher_order)\.\w+(\.\w+)?|_operator\.getitem"
)
# These read and write files, or hold code.
_REFUSED = re.compile(r"torch\.ops\.(aten\.from_file|higher_order\.(?!wrap_with_set_grad_enabled|cond\b)).*")
_NAMED = r"Symbol\('[su]\d+'(, (positive|integer|nonnegative)=(True|False))*\)"
_SYMBOLS = re.compile(
    rf"({_NAMED}|[su]\d+|\d+|Integer|Add|Mul|Pow|Mod|PythonMod|FloorDiv|CleanDiv|CeilToInt|Max|Min|[-+*/(), ])*"
)


def kind_of(content: bytes, path: Path) -> Kind:
    """Return what the file is.

    Raises
    ------
    ModelError
        When it is a pickle, damaged, from an old PyTorch, or something else.
    """
    if content.startswith(_ZIP) or zipfile.is_zipfile(io.BytesIO(content)):
        return _kind_of_archive(_names(content, path), path)
    if content.startswith(_ZIP[:2]):
        raise ModelError(f"{path}: the file is damaged or cut short at {len(content)} bytes; fetch it again")
    if content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05":
        raise _pickled(path)
    length = int.from_bytes(content[:8], "little")
    if content[8:9] == b"{" and length >= 2:
        return "safetensors"
    raise ModelError(
        f"{path}: no PyTorch network: it begins with {content[:8]!r}; wanted TorchScript, a torch.export program or "
        "safetensors"
    )


def _names(content: bytes, path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except _DAMAGE as error:
        raise ModelError(
            f"{path}: the file is damaged or cut short at {len(content)} bytes ({error}); fetch it again"
        ) from error


def _kind_of_archive(names: list[str], path: Path) -> Kind:
    inside = {name.partition("/")[2] for name in names}
    if "archive_format" in inside and "models/model.json" in inside:
        return "export"
    if "constants.pkl" in inside and any(name.startswith("code/") for name in inside):
        return "script"
    if "serialized_exported_program.json" in {*names, *inside}:
        raise ModelError(f"{path}: an old PyTorch exported it: export it again with PyTorch 2.13 or newer")
    if "data.pkl" in inside:
        raise _pickled(path)
    raise ModelError(
        f"{path}: a zip file, but neither TorchScript nor a torch.export program; export the network again"
    )


def _pickled(path: Path) -> ModelError:
    return ModelError(
        f"{path}: a pickle, as torch.save writes it: loading one can run any program, so framefx never does. "
        "Where it was made, run `torch.export.save(torch.export.export(network.eval(), "
        "(torch.rand(1, 3, 256, 256),)), 'network.pt2')`"
    )


def check_export(content: bytes, path: Path) -> None:
    """Refuse a `torch.export` program that asks for more than tensors and operators.

    Raises
    ------
    ModelError
        When it does, or is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if member.file_size > len(content):
                    raise ValueError(f"{member.filename} says that it is larger than the file")
                if member.filename.endswith(".json"):
                    _check_json(json.loads(archive.read(member)), path)
    except _DAMAGE as error:
        raise ModelError(f"{path}: the file is damaged ({error}); fetch it again") from error


def _check_json(document: Any, path: Path) -> None:
    for one in _tables(document):
        target = one.get("target")
        if isinstance(target, str) and "inputs" in one and not _is_operator(target):
            raise ModelError(
                f"{path}: it calls {target}, which is no operator of PyTorch: export the network without it"
            )
        place = one.get("path_name")
        if isinstance(place, str) and not place.startswith(("weight_", "tensor_")):
            raise ModelError(f"{path}: it holds a pickled object ({place}): export the network without it")
        for text in (one.get("expr_str"), *(one.get("range_constraints") or ())):
            if isinstance(text, str) and not _SYMBOLS.fullmatch(text):
                raise ModelError(f"{path}: a size in it is {text[:40]!r}: export it with a fixed size")


def _is_operator(target: str) -> bool:
    return bool(_OPERATOR.fullmatch(target)) and not _REFUSED.fullmatch(target)


def _tables(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from _tables(inner)
