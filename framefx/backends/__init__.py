"""The runtimes that execute networks, each imported when it first loads one."""
