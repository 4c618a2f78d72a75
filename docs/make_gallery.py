"""Make docs/filters.md and its pictures: python docs/make_gallery.py [--model FILE] [--page-only] [NAME…].

Every filter on the same portrait, option by option where a picture says more. The person is found by the model that
comes with framefx; within a drawn outline only, so that nothing else in the room is taken for a person. The cost on
each filter's own page is written as well, with the reason where there is one.
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import gallery_page
import numpy as np

import framefx
from framefx import Frame, Mask, Plan
from framefx.bench.filters import add_portrait_layers, write_inputs
from framefx.plugins import PluginManager

DOCS = Path(__file__).parent
FOLDER = DOCS / "pictures" / "filters"
SIZE = (270, 480)
STEPS = 4  # frames of each chain: what follows the clock has begun, what adapts has settled
OUTLINE = [(150, 720), (250, 560), (330, 420), (400, 400), (360, 100), (520, 10), (720, 10), (830, 150), (830, 330),
           (740, 480), (960, 720)]  # fmt: skip
FACE = (588, 350), (100, 125)

SHOTS = {
    "original": [""],
    "affine": ["affine=matrix=0.98/-0.17/80/0.17/0.98/-100:border=mirror"],
    "alpha": ["alpha=add=-1:where=background", "alpha=add=-0.5"],
    "anonymize": ["anonymize", "anonymize=style=pixelate:strength=40", "anonymize=style=black"],
    "bilateral": ["bilateral", "bilateral=strength=90:radius=8"],
    "blur": ["blur", "blur=radius=30"],
    "bokeh": ["bokeh", "bokeh=radius=32:highlights=1"],
    "border": ["border", "border=width=16:color=orange:radius=90"],
    "box_blur": ["box_blur=width=60:height=1", "box_blur=width=40:height=40"],
    "brightness": ["brightness=gain=1.5", "brightness=gain=0.5:where=background"],
    "card": ["card", "card=text='Zurück um 14:30':color='#0b3d4f'"],
    "chroma_key": ["replace=color=green,chroma_key=fuzz=90"],
    "clock": ["clock=size=64", "clock=format='%A, %d %B':position=top:background=black"],
    "color": ["color=temperature=0.5", "color=saturation=0:where=background", "color=contrast=1.3:gamma=1.2"],
    "color_filter": ["color_filter", "color_filter=color='#80c0ff'"],
    "color_map": ["color_map", "color_map=map=inferno:where=background"],
    "colorize": ["colorize", "colorize=color='#60a0ff':where=background"],
    "depth_of_field": ["depth_of_field", "depth_of_field=radius=30:reach=400"],
    "despill": ["replace=color=green,color,replace", "replace=color=green,despill,replace"],
    "flip": ["flip", "flip=horizontal=no:vertical=yes"],
    "follow": [
        "zoom=x=0.5:anchor=bottom-right:border=black",
        "zoom=x=0.5:anchor=bottom-right:border=black,follow=smooth=0",
    ],
    "foreground": ["replace=color=green,color,replace", "replace=color=green,foreground,replace"],
    "freeze": ["freeze"],
    "gaussian_blur": ["gaussian_blur=x=16:y=0", "gaussian_blur=x=8:y=8"],
    "grain": ["grain", "grain=strength=0.5:size=3:colored=yes"],
    "grayscale": ["grayscale", "grayscale=weights=1/0/0"],
    "heatmap": ["heatmap", "heatmap=keypoint=left_eye:map=inferno"],
    "hologram": ["replace=color=black,hologram"],
    "invert": ["invert", "invert=where=background"],
    "light_wrap": ["replace", "replace,light_wrap=width=40:strength=1"],
    "low_light": ["brightness=gain=0.25", "brightness=gain=0.25,low_light"],
    "lut": ["lut=file={folder}/warm.cube", "lut=file={folder}/warm.cube:strength=0.5"],
    "match_light": ["replace", "replace,match_light", "replace,match_light=strength=1"],
    "motion_blur": ["motion_blur=length=60", "motion_blur=length=60:angle=60"],
    "move": ["move=x=320:border=wrap", "move=x=0.2:y=0.2:relative=yes"],
    "noise": ["noise=amount=0.2:where=background"],
    "overlay": ["overlay=image={folder}/logo.png:position=-40/40"],
    "pixelate": ["pixelate", "pixelate=size=40:where=person"],
    "replace": ["replace", "replace=color=green", "replace=image={folder}/beach.png"],
    "roll": ["roll=speed_x=2000"],
    "sharpen": ["sharpen=amount=2", "sharpen=amount=1:radius=12"],
    "skeleton": ["skeleton=radius=10:width=4", "skeleton=radius=16:color=orange"],
    "stabilize": ["stabilize"],
    "stripes": ["stripes=width=8:intensity=40"],
    "text": [
        "text=text='Ada Løvelace\\nкосмос ☀ θάλασσα':size=64",
        "text=text=LIVE:position=top-left:color=white:background=red:outline=0",
    ],
    "vignette": ["vignette", "vignette=strength=0.9:size=0.1"],
    "warp": ["warp=lens=0.8", "warp=lens=0:tilt=0.5", "warp=lens=-0.6"],
    "zoom": ["zoom=x=0.6:anchor=bottom", "zoom=x=1.6:border=black"],
}


def portrait(settings: dict) -> tuple[np.ndarray, dict[str, Mask]]:
    """Return the demo clip's sixth picture and the masks of its person and face."""
    pictures = []
    for chain in ("color", "color_filter=color=black,invert=where=person"):
        with TemporaryDirectory() as folder:
            framefx.run("demo", f"{folder}/", chain, frames=6, **settings)
            pictures.append(cv2.cvtColor(cv2.imread(str(max(Path(folder).iterdir()))), cv2.COLOR_BGR2RGB))
    pixels, found = pictures[0], pictures[1][..., 0]
    outline = cv2.fillPoly(np.zeros(found.shape, np.uint8), [np.array(OUTLINE)], 255)
    if (found[outline > 0] > 128).mean() < 0.4:
        found = outline  # a model that misses the portrait: the outline alone
    person = cv2.min(found, cv2.GaussianBlur(outline, (0, 0), 6))
    face = cv2.ellipse(np.zeros(found.shape, np.uint8), *FACE, 0, 0, 360, 255, -1)
    small = {"person": (256, 144), "face": (256, 144)}
    masks = {
        name: Mask(cv2.resize(mask, small[name], interpolation=cv2.INTER_AREA), pixels.shape[:2])
        for name, mask in (("person", person), ("face", face))
    }
    return pixels, masks


def render(chain: str, pixels: np.ndarray, masks: dict[str, Mask], plugins: PluginManager) -> np.ndarray:
    """Return what a chain makes of the portrait, transparency as a chequered floor."""
    if not chain:
        return pixels
    plan = Plan(chain, plugins.registry, given=masks)
    for number in range(STEPS):
        frame = plan.run(Frame.borrow(pixels, index=number, time=number / 8))
    if frame.alpha is None:
        return frame.pixels
    y, x = np.mgrid[: frame.size[0], : frame.size[1]] // 24
    floor = np.where((x + y) % 2, 235, 200)[..., None]
    alpha = frame.alpha[..., None] / 255
    return np.uint8(frame.pixels * alpha + floor * (1 - alpha))


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write a picture at the page's size."""
    small = cv2.resize(pixels, SIZE[::-1], interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 72])


def draw_beach(path: Path) -> None:
    """Write a picture to replace a background by: sky, sea and sand."""
    y = np.linspace(0, 1, 720)[:, None, None]
    stops = np.array(
        [[90, 150, 215], [190, 215, 235], [60, 130, 160], [90, 170, 175], [225, 205, 160], [205, 180, 130]]
    )
    rows = [np.interp(y[..., 0], [0, 0.5, 0.505, 0.75, 0.77, 1], stops[:, c]) for c in range(3)]
    picture = np.repeat(np.stack(rows, axis=-1), 1280, axis=1)
    cv2.imwrite(str(path), np.uint8(picture[..., ::-1]))


def main() -> None:
    """Write the pictures (all, or those of the filters named), the page, and the costs on the filters' own pages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--page-only", action="store_true", help="draw nothing, write the pages again")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    plugins = PluginManager(discover=False)
    add_portrait_layers(plugins.registry)
    if not options.page_only:
        FOLDER.mkdir(parents=True, exist_ok=True)
        pixels, masks = portrait({"model": options.model} if options.model else {})
        with TemporaryDirectory() as place:
            folder = Path(place)
            write_inputs(folder)
            draw_beach(folder / "beach.png")
            for name in options.names or SHOTS:
                for number, chain in enumerate(SHOTS[name], 1):
                    shown = render(chain.format(folder=folder), pixels, masks, plugins)
                    write_picture(FOLDER / f"{name}-{number}.jpg", shown)
    costs = json.loads((DOCS / "filter-costs.json").read_text())
    (DOCS / "filters.md").write_text(gallery_page.page(plugins.registry, SHOTS, costs), encoding="utf-8")
    for name in SHOTS.keys() - {"original"}:
        own = DOCS / "filters" / f"{name}.md"
        text = gallery_page.with_cost(own.read_text(encoding="utf-8"), name, costs[name])
        own.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
