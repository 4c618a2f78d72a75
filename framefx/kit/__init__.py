"""What `framefx new-plugin` writes."""
