"""The table of docs/faults.md: what can go wrong, what a viewer sees, what framefx does; every line is a test's.

Two sorts of lines: `ROWS`, each played by `test_faults.py` with `framefx.testing`'s faults, and those that tests
of devices, files and processes carry as ``@pytest.mark.fault(what, sees, does)``.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """A fault of `framefx.testing.FAULTS`, and what it comes to in a live run.

    Attributes
    ----------
    place, fault : str
        Its names there.
    what : str
        What happens, for people.
    card : str
        The text of the card that is shown; the last good picture is, where it is empty.
    said : str
        How framefx's one line about it begins; it says nothing, where it is empty.
    ends : str
        The error that ends the run; it goes on by itself, where it is empty.
    does : str
        What framefx does about it, for people.
    """

    place: str
    fault: str
    what: str
    card: str = ""
    said: str = ""
    ends: str = ""
    does: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        said = f"one line: `{self.said}…`; " if self.said else ""
        sees = f"the card, “{self.card}”" if self.card else "the last good picture"
        return self.what, sees, said + self.does, "test_faults.py"


AWAY = "the camera is away"
AGAIN = "opens it again, at once and then with pauses from 0.25 to 1 s"
NEXT = "the next frame is a new try"
LATER = "goes on when it returns, or with a changed chain on a new thread"
NEWEST = "the newest frame is next; older ones are dropped and counted"
LAYERS, STEP = "step 'layers' failed", "step 'faulty' failed"
MODEL, PLUGIN = f"{LAYERS}: model secret", f"{STEP}: plugin 'test', filter 'faulty': frame 1: it returned"
ENDS = "the run ends with exit code 1"

ROWS = [
    Row("source", "unplugged", "the camera is unplugged", AWAY, "the camera is gone", does=AGAIN),
    Row("source", "busy", "… and another program takes it meanwhile", AWAY, "the camera is gone", does=AGAIN),
    Row("source", "frozen", "it gives no picture for two seconds", AWAY, "the camera has given no picture", does=AGAIN),
    Row("source", "ended", "it says that there is nothing more", AWAY, "the camera stopped giving frames", does=AGAIN),
    Row(
        "source",
        "another mode",
        "its pictures have another size",
        "the camera changed its size",
        "the camera changed its size: frame 1 is (90, 160)",
        does="waits for pictures of the size that it began with",
    ),
    Row("source", "damaged", "a JPEG ends in its middle", does="skips and counts it"),
    Row("source", "clock jump", "the computer slept: an hour is gone", does="goes on; masks are smoothed anew"),
    Row("source", "clock back", "the driver's clock runs backwards", does="goes on from the last frame's time"),
    Row("source", "crash", "the source has a bug", ends="RuntimeError", does="the run ends with the traceback"),
    Row("model", "raises", "the model has a bug", LAYERS, f"{LAYERS}: RuntimeError", does=NEXT),
    Row("model", "no layer", "it gives no layer", LAYERS, f"{MODEL} did not give", does=NEXT),
    Row("model", "None", "it gives None", LAYERS, f"{MODEL}, layer 'secret': it gave NoneType", does=NEXT),
    Row(
        "model",
        "no mask",
        "it gives an array and no mask",
        LAYERS,
        f"{MODEL}, layer 'secret': it gave ndarray",
        does=NEXT,
    ),
    Row(
        "model", "another size", "its mask is for another size", LAYERS, f"{MODEL}, layer 'secret': its mask", does=NEXT
    ),
    Row("model", "NaN", "the network gives NaN", LAYERS, f"{MODEL} gave NaN", does=NEXT),
    Row(
        "model",
        "slow",
        "it is slow",
        does=f"{NEWEST}; with `masks=async` no frame waits, and a mask that is too old shows the card",
    ),
    Row(
        "model",
        "hangs",
        "it does not return",
        "step 'layers' does not return",
        "step 'layers' does not return",
        does=LATER,
    ),
    Row("filter", "raises", "a filter has a bug", STEP, f"{STEP}: RuntimeError", does=NEXT),
    Row("filter", "half done", "… in the middle of its work", STEP, f"{STEP}: RuntimeError", does=NEXT),
    Row("filter", "None", "it returns None", STEP, f"{PLUGIN} NoneType", does=NEXT),
    Row("filter", "pixels", "it returns pixels and no frame", STEP, f"{PLUGIN} ndarray", does=NEXT),
    Row("filter", "another size", "it returns another size", STEP, f"{PLUGIN} a frame of", does=NEXT),
    Row("filter", "another dtype", "it returns float pixels", STEP, STEP, does=NEXT),
    Row("filter", "NaN", "it returns NaN", STEP, STEP, does=NEXT),
    Row(
        "filter", "consumed frame", "it returns the frame that it wrote over", STEP, f"{PLUGIN} a frame that", does=NEXT
    ),
    Row("filter", "read-only", "it writes to what is not its own", STEP, f"{STEP}: ValueError", does=NEXT),
    Row("filter", "slow", "it is slow", does=NEWEST),
    Row(
        "filter",
        "hangs",
        "it does not return",
        "step 'faulty' does not return",
        "step 'faulty' does not return",
        does=LATER,
    ),
    Row("sink", "gone", "the virtual camera is away", does="goes on writing; the sink opens it again when it is back"),
    Row("sink", "taken", "another program takes the virtual camera", ends="DeviceError", does=ENDS),
    Row(
        "sink",
        "full disk",
        "a plugin's sink raises OSError",
        ends="OSError",
        does="the run ends; nothing is under the final name",
    ),
    Row("sink", "slow", "what takes the frames is slow", does=NEWEST),
    Row("sink", "blocked", "it does not return for a while", does="goes on when it returns"),
]

HEADINGS = {
    "source": "The camera",
    "model": "The model",
    "filter": "A filter",
    "sink": "The output",
}

MARKED = {
    "Devices, with the drivers' own errors": ["v4l2", "vm"],
    "Files and processes": ["sinks", "test_processes.py", "test_reload.py"],
}


def marked(place: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the cells of the lines that the tests of a file or folder carry."""
    path = TESTS / place
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield from ((*cells, file.relative_to(TESTS).as_posix()) for cells in _cells(node))


def _cells(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            what, sees, does = (ast.literal_eval(argument) for argument in decorator.args)
            yield what, sees, does


def tables() -> str:
    """Return the tables of the page as Markdown."""
    parts = {title: [row.cells for row in ROWS if row.place == place] for place, title in HEADINGS.items()}
    parts |= {title: [cells for place in places for cells in marked(place)] for title, places in MARKED.items()}
    return "\n\n".join(f"## {title}\n\n{_table(rows)}" for title, rows in parts.items()) + "\n"


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    head = ("what happens", "what a viewer sees", "what framefx says and does", "checked in `tests/`")
    lines = [head, ("---",) * 4, *((what, sees, does, f"`{test}`") for what, sees, does, test in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
