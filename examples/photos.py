"""Every photo of a folder, each at its own size: python photos.py PHOTOS DONE [CHAIN]."""

import sys
from pathlib import Path

import framefx

photos, done = Path(sys.argv[1]), Path(sys.argv[2])
chain = sys.argv[3] if len(sys.argv) > 3 else "blur=8,color=saturation=1.2"

done.mkdir(parents=True, exist_ok=True)
for photo in sorted(photos.iterdir()):
    if photo.suffix.lower() not in {".jpg", ".jpeg", ".png", ".webp"}:
        continue
    try:
        framefx.run(str(photo), str(done / photo.name), chain, frames=1)
    except framefx.FramefxError as error:
        print(f"left out: {error}", file=sys.stderr)
    else:
        print(done / photo.name)
