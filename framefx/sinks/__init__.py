"""Where finished frames go: files, pictures, pipes.

Nothing is imported here: each module loads its library when a sink of it is opened.
"""
