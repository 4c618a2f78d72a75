"""``framefx bench``: kernels, chains and overhead, measured beside what others would run for the same picture."""
