"""The families of networks that framefx understands, and where their weights are found."""
