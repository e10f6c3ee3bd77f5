"""Assignments: ``masters`` reads them, ``checks`` says what is not in form, ``release`` builds what is handed out.

``guide`` writes the teacher's guide; ``imperfect`` makes submissions as students hand them in.
"""
