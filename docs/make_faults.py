"""Make docs/faults.md from the tests: python docs/make_faults.py."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from fault_table import tables  # noqa: E402 - the table is the tests'

HEAD = """# What goes wrong, and what a viewer sees

A frame leaves framefx only if every step of the chain ran on it. Whatever happens instead, the viewer sees the last
good picture or the *card*: that picture blurred beyond recognition, or a plain slate, with one line that says why.
Every line of these tables is a test's; `docs/make_faults.py` writes the page from them.

On top of that, a thousand random runs mix all of it: random chains, several faults at once, a changed chain, the last
viewer going away or the end of the run at any frame, with masks that belong to the frame or come late. Each frame of
the camera carries a watermark where the chain hides it, and nobody ever sees it (`tests/test_fail_closed.py`).

What no program can do: native code that holds Python's lock and does not return stops the whole process; the viewer's
picture freezes.

A *file* ends with the first fault: exit code 1, and nothing stands under the final name. The tables are about cameras.
In them, a step called `faulty` belongs to the plugin `test`, and the model is called `secret`. Faults for your own
tests: [Testing](testing.md#faults).

"""


def main() -> None:
    """Write the page."""
    (DOCS / "faults.md").write_text(HEAD + tables(), encoding="utf-8")


if __name__ == "__main__":
    main()
