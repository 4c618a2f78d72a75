"""Training, measuring and exporting framefx's own person models (extra `train`)."""
