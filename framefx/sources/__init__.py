"""Where frames come from: files, pictures, cameras, pipes.

Nothing is imported here: each module loads its library when a source of it is opened.
"""
