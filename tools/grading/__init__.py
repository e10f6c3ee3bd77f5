"""Grading with nbgrader: ``submission`` grades one notebook, ``classroom`` a class, ``marks_export`` writes the marks.

``repair`` puts a damaged notebook right, ``execute`` runs it under the ``limits``, ``trial`` grades a made-up class.
"""
