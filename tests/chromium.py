"""A headless Chromium for tests, driven through chromedriver by the plain WebDriver protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
START_SECONDS = 30.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""Key of an element in answers of the protocol."""


def missing_browser() -> str | None:
    """Why there is no browser to test with; `None` when there is one."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return "no chromium found; install the packages chromium and chromium-driver"
    if shutil.which("chromedriver") is None:
        return "no chromedriver found; install the package chromium-driver"
    return None


class Browser:
    """One window."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._session = session

    def call(self, method: str, path: str, **body: Any) -> Any:
        """One command of the protocol."""
        url = f"/session/{self._session}{path}"
        answer = self._client.request(method, url, json=body if method == "POST" else None)
        value = answer.json()["value"]
        if answer.status_code != 200:
            raise RuntimeError(f"{method} {path}: {value}")
        return value

    def open(self, page: Path) -> None:
        """Load a file."""
        self.call("POST", "/url", url=page.absolute().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Value that a script returns."""
        return self.call("POST", "/execute/sync", script=script, args=list(arguments))

    def send(self, command: str, **parameters: Any) -> Any:
        """One command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def type(self, keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", actions=[{"type": "key", "id": "keys", "actions": pressed}])

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Entries of the console ("browser") or of the network ("performance") since last asked."""
        found: list[dict[str, Any]] = self.call("POST", "/se/log", type=kind)
        return found

    def show_as(self, *, media: str = "", theme: str = "light") -> None:
        """Take the page for printed ("print") or not, light or dark."""
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.send("Emulation.setEmulatedMedia", media=media, features=[feature])

    def picture(self, width: int, height: int) -> bytes:
        """The upper part of the page as PNG."""
        area = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.send("Page.captureScreenshot", clip=area, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@contextlib.contextmanager
def open_browser(profile: Path, *, width: int = 1280, height: int = 900) -> Iterator[Browser]:
    """A browser with a profile of its own; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as web:
            _wait_for(web)
            arguments = [
                *ARGUMENTS,
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
            ]
            wanted = {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
            answer = web.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
            answer.raise_for_status()
            session = answer.json()["value"]["sessionId"]
            try:
                yield Browser(web, session)
            finally:
                web.delete(f"/session/{session}")
    finally:
        driver.terminate()
        driver.wait(timeout=20)


def requested(browser: Browser, page: Path) -> list[str]:
    """Addresses that a page asked for since the network log was last read, its own first."""
    own = page.absolute().as_uri()
    messages = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        # The browser's own first page asks for much, too.
        and message["params"]["documentURL"] == own
    ]


def _wait_for(web: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(httpx.TransportError):
            if web.get("/status").json()["value"]["ready"]:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("chromedriver does not answer")
        time.sleep(0.1)
