"""The built-in filters, one a file. They use only the public API."""
