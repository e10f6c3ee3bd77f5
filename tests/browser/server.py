"""JupyterLab in folders of its own: settings, kernels and history of whoever runs the tests play no part."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import PATIENCE

SETTINGS = {
    # Cells out of sight stay in the page, and nobody is asked about news.
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}',
}
OWN = {
    "JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython", "JUPYTER_RUNTIME_DIR": "runtime",
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def jupyterlab(folder: Path, root: Path, program: str | None = None, **variables: str) -> Iterator[str]:
    """Serve ``root`` while the block runs; yields the address. Settings and log go into ``folder``.

    ``program`` is the ``jupyter-lab`` of another environment than that of the tests.
    """
    for name, text in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    port = free_port()
    command = [
        program or str(Path(sys.executable).with_name("jupyter-lab")), "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
        f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    environment = os.environ | {k: str(folder / v) for k, v in OWN.items()} | variables
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        try:
            address, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE / 1000
            while True:
                try:
                    with urllib.request.urlopen(f"{address}/api"):
                        break
                except OSError:
                    log_text = (folder / "log").read_text()
                    assert server.poll() is None and time.monotonic() < end, f"JupyterLab did not start:\n{log_text[-2000:]}"
                    time.sleep(0.2)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:  # it waits for kernels that a busy machine does not let end
                server.kill()
                server.wait()


def open_notebook(page, address: str, path: str) -> None:
    """Open a notebook of the served folder in JupyterLab and wait until its kernel is idle."""
    page.goto(f"{address}/lab/tree/{path}")
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')", timeout=PATIENCE)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=PATIENCE)
    page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=PATIENCE)
