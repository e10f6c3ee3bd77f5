"""Extensions of Sphinx that only this book has; ``_config.yml`` names them."""
