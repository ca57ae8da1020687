"""`check-links` from its words to its exit code: a small catalog whose addresses lead to loopback hosts, a double of the Hub, all forms."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from commands import HELP, Answer, run_in, run_process
from conftest import TESTS  # the folder's own conftest comes first on the path only where it is imported first

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))
