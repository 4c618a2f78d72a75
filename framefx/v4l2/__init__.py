"""Video4Linux, spoken directly: ctypes structures, one `ioctl` each, no library between.

`structs` are the kernel's structures, `device` one open device, `modes` what a camera offers and which of it to
take, `stream` pictures out of a camera, `listing` what devices there are, `holders` who uses them, `readers`
whether anybody looks. Importing this package opens nothing and works on every system.
"""
