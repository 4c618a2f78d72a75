#!/bin/sh
# In the middle of two other programs: sh pipe.sh IN OUT [CHAIN]
# The streams between them are YUV4MPEG2, which FFmpeg, x264, mpv and many others read and write.
set -eu

ffmpeg -v error -i "$1" -f yuv4mpegpipe -pix_fmt yuv420p - |
    framefx --chain "${3:-blur}" --source - --sink - |
    ffmpeg -v error -y -i - -pix_fmt yuv420p "$2"
