"""How nbgrader releases and grades the assignments: loaded by ``tools.assignments`` and ``tools.grading``, and, beside a
course folder, by ``nbgrader formgrader``.
"""

c = get_config()  # noqa: F821  (a name that nbgrader provides)

c.CourseDirectory.course_id = "ibtext"

# A solution cell without an answer fails every test, so a release that was not touched has no points.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# One cell: half a minute, ten times what the slowest test needs. Then it is interrupted, and the rest goes on.
c.Execute.timeout = 30  # for nbgrader run by hand; tools.grading takes its own from tools/grading/limits.py
c.Execute.error_on_timeout = {
    "ename": "CellTimeoutError",
    "evalue": "stopped because it took too long",
    "traceback": ["CellTimeoutError: stopped because it took too long; is there a loop that never ends?"],
}
# A kernel that still writes what it printed before may take this long to say that it has finished.
c.Execute.iopub_timeout = 5
c.Execute.shutdown_kernel = "immediate"
# Cells that show a demo: nothing that is graded depends on them.
c.Execute.skip_cells_with_tag = "nbval-ignore-output"

# nbgrader takes text on stderr for a failed test; a warning is none.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "(?s)."

c.OverwriteCells.add_missing_cells = True
c.LimitOutput.max_lines = 200
c.LimitOutput.max_traceback = 40
