"""The demos of the book, one module a chapter."""
