"""Notebooks: their committed form, which statement is checked where, their figures, their execution."""
