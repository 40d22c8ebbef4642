"""A regtest node in drop-in mode, of one test alone."""

import base64
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import time
import urllib.request

START_LIMIT_S = 90
STOP_LIMIT_S = 60
# Below the range that systems give to outgoing connections.
PORTS = range(10_000, 20_000)


def free_port():
    """A port that nobody listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class RegtestNode:
    """Starts when its block is entered, and is gone with its data directory when it is left."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.data_dir = pathlib.Path(self.directory.name)
        self.port = free_port()
        self.process = subprocess.Popen(
            [os.environ["BITCOIND_EXE"], "-regtest", f"-datadir={self.data_dir}",
             f"-rpcport={self.port}", "-listen=0", *self.arguments],
            stdout=subprocess.DEVNULL)
        self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self):
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            assert self.process.poll() is None, "the node ended at its start"
            assert time.monotonic() < deadline, "the node took too long to start"
            if self.cookie_path.exists() and self.answers():
                return
            time.sleep(0.05)

    def answers(self):
        """Whether a call succeeds: while it starts, each fails with the code -28."""
        credentials = base64.b64encode(self.cookie_path.read_bytes()).decode()
        call = urllib.request.Request(
            self.url, b'{"method": "getblockcount", "id": 0}',
            {"Authorization": f"Basic {credentials}"})
        try:
            with urllib.request.urlopen(call, timeout=START_LIMIT_S):
                return True
        except OSError:
            return False

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()

    @property
    def cookie_path(self):
        return self.data_dir / "regtest" / ".cookie"

    @property
    def url(self):
        """Without name and password."""
        return f"http://127.0.0.1:{self.port}"

    def url_with(self, credentials=None):
        """With name and password, the right ones unless others are given."""
        return f"http://{credentials or self.cookie_path.read_text()}@127.0.0.1:{self.port}"

    def stopped_well(self):
        """Whether it ends by itself, with the status of success."""
        return self.process.wait(timeout=STOP_LIMIT_S) == 0
