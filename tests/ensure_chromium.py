"""Makes sure a Chromium is there for the browser tests: uses the system's, installs it when root on Debian, else says how."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-core")


def chromium_path() -> str | None:
    """The browser to drive: CHROMIUM from the environment, else one on the PATH, else Chrome where macOS keeps it."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (MAC if os.path.exists(MAC) else None)  # noqa: PTH110


def main() -> int:
    """0 when a browser is there, also after installing it."""
    if chromium_path():
        return 0
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing Chromium for the browser tests (once)", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        if chromium_path():
            return 0
    print(
        "The browser tests need Chromium. Install it (Debian, Ubuntu: apt-get install chromium; Fedora: dnf install chromium; "
        "macOS: install Google Chrome), or set CHROMIUM to its path, then run 'make test' again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
