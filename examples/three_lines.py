"""From Python: ten seconds of the demo clip, with a soft background."""

import framefx

report = framefx.run("demo", "framefx-demo.mp4", "blur,color=saturation=1.1")
print(f"{report.sent} frames are in framefx-demo.mp4")
