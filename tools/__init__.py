"""What makes the book around the package, run as ``python -m tools.…`` from the root of the repository.

``contents`` knows the pages and their demos, ``notebooks`` brings notebooks into form, checks and executes them, ``site``
builds pages, gallery and slides with the extensions in ``sphinx``, ``assignments`` makes releases from the masters,
``grading`` grades a class, ``check`` runs everything that must hold, ``lock`` writes the exact versions.
"""
