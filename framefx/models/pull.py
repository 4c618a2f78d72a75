"""`framefx models pull` and `remove`: a network of the zoo into the user's folder, and out of it again.

For each network that was pulled a receipt lies in the folder ``.pulled``: what has no receipt is not ours to delete.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from framefx.errors import MediaError, ModelError
from framefx.models.download import PATIENCE, FetchError, Patience, Progress, Wanted, fetch, sha256_of
from framefx.models.zoo import ZooModel, folder

MIRROR = "FRAMEFX_MODEL_MIRROR"


@dataclass(frozen=True)
class Receipt:
    """What was pulled, from where, under which licence."""

    name: str
    file: str
    sha256: str
    source: str
    licence: str


def pull(
    model: ZooModel,
    mirror: str | None = None,
    progress: Progress = lambda have: None,
    patience: Patience = PATIENCE,
) -> Path:
    """Fetch a network, check it and keep it; one that is there already is only checked.

    Parameters
    ----------
    model : ZooModel
    mirror : str, optional
        A folder, or an address, that has files under the names in the zoo; ``$FRAMEFX_MODEL_MIRROR`` by default.
    progress : callable
        Called with the number of bytes that are there.
    patience : Patience
        For the server.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MediaError
        When it cannot be had; says how to get it by other means.
    ModelError
        When another file that was not pulled is in its place.
    """
    place = model.place
    if place.is_file():
        if sha256_of(place) == model.sha256:
            return place
        if receipt(model) is None:
            raise ModelError(
                f"{place} is another file (its sha256 is not {model.sha256}): move it away, "
                f"then `framefx models pull {model.name}`"
            )
    address = mirror or os.environ.get(MIRROR) or ""
    source = _source(model, address)
    try:
        if isinstance(source, Path):
            _copy(source, model, progress)
        else:
            fetch(Wanted(source, model.size, model.sha256), place, progress, patience)
    except FetchError as error:
        elsewhere = "" if source == model.source else f" from {source}"
        raise MediaError(f"cannot fetch '{model.name}'{elsewhere}: {error}. {by_hand(model)}") from error
    _write(model, str(source))
    return place


def remove(model: ZooModel) -> Path:
    """Delete what `pull` wrote, a half one too, and return where it was.

    Raises
    ------
    ModelError
        When nothing is there, or what is there is not what was pulled.
    """
    place, known = model.place, receipt(model)
    half = [place.with_name(place.name + ending) for ending in (".part", ".part.tag")]
    if place.exists() and (known is None or sha256_of(place) != known.sha256):
        raise ModelError(f"{place} is not what `framefx models pull` wrote: delete it yourself, `rm '{place}'`")
    if not any(path.exists() for path in (place, *half)):
        raise ModelError(f"the model '{model.name}' is not here: `framefx models list` says what is")
    for path in (place, *half, _receipt_of(model)):
        path.unlink(missing_ok=True)
    return place


def receipt(model: ZooModel) -> Receipt | None:
    """Return what is noted of a network that was pulled, None for any other."""
    try:
        return Receipt(**json.loads(_receipt_of(model).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def by_hand(model: ZooModel) -> str:
    """Return what to fetch and where to put it, for machines that cannot fetch it themselves."""
    return (
        f"By hand: get {model.source} ({model.size:,} bytes, sha256 {model.sha256}), put it at {model.place} and run "
        f"`framefx models pull {model.name}` again, which checks it; or name a folder or address that has "
        f"{model.file} with --mirror"
    )


def _source(model: ZooModel, mirror: str) -> str | Path:
    """Return the address to fetch from, or the file to copy."""
    parts = urlsplit(mirror)
    if not mirror:
        return model.source
    if parts.scheme in ("http", "https"):
        return f"{mirror.rstrip('/')}/{quote(model.file)}"
    if parts.scheme == "file":
        return Path(unquote(parts.path), model.file)
    return Path(mirror).expanduser() / model.file


def _copy(source: Path, model: ZooModel, progress: Progress) -> None:
    place = model.place
    part = place.with_name(place.name + ".copy")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part)
        if (found := sha256_of(part)) != model.sha256:
            raise FetchError(f"the file there is another: got sha256 {found}, wanted {model.sha256}")
        part.replace(place)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(f"{error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    progress(model.size)


def _receipt_of(model: ZooModel) -> Path:
    return folder() / ".pulled" / f"{model.name}.json"


def _write(model: ZooModel, source: str) -> None:
    path = _receipt_of(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    note = Receipt(model.name, model.file, model.sha256, source, model.licence)
    path.write_text(json.dumps(asdict(note), indent=1) + "\n", encoding="utf-8")
