"""Drives a regtest node with python-bitcoinrpc, a client of bitcoind from PyPI, unchanged.

Usage: python_bitcoinrpc.py PATH-OF-PYRITE
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from decimal import Decimal

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

START_LIMIT_S = 60


def start(binary, data_dir):
    """Starts a node on free ports and returns it with the URL of its RPC server."""
    node = subprocess.Popen(
        [binary, "node", "--quiet", "--chain", "regtest", "--data-dir", str(data_dir),
         "--rpc-bind", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"])
    runtime = data_dir / "regtest" / "node.json"
    deadline = time.monotonic() + START_LIMIT_S
    while not runtime.exists():
        assert node.poll() is None, "the node did not start"
        assert time.monotonic() < deadline, "the node took too long to start"
        time.sleep(0.05)
    cookie = (data_dir / "regtest" / ".cookie").read_text()
    url = json.loads(runtime.read_text())["rpc_url"]
    return node, url.replace("http://", f"http://{cookie}@")


def batch(url, methods):
    """Calls methods without parameters in one request, as JSON-RPC 1.1, and returns their results."""
    parts = urllib.parse.urlsplit(url)
    credentials = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    calls = [{"version": "1.1", "id": index, "method": method, "params": []}
             for index, method in enumerate(methods)]
    request = urllib.request.Request(
        f"http://{parts.hostname}:{parts.port}/", json.dumps(calls).encode(),
        {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answers = json.load(response)
    assert [answer["id"] for answer in answers] == list(range(len(methods)))
    assert all(answer["error"] is None for answer in answers)
    return [answer["result"] for answer in answers]


def drive(url):
    """Mines, pays, mines, and reads everything back."""
    rpc = AuthServiceProxy(url)
    assert rpc.getblockchaininfo()["chain"] == "regtest"
    assert rpc.getblockhash(0) == \
        "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"

    address = rpc.getnewaddress()
    hashes = rpc.generatetoaddress(101, address)
    assert len(hashes) == 101 and rpc.getblockcount() == 101
    assert rpc.getbestblockhash() == hashes[-1]
    assert rpc.getbalance() == Decimal("50.00000000"), rpc.getbalance()
    assert rpc.getbalances()["mine"]["immature"] == Decimal("5000.00000000")

    payee = rpc.getnewaddress("payee", "bech32m")
    txid = rpc.sendtoaddress(payee, Decimal("1.23456789"))
    assert txid in rpc.getrawmempool()
    entry = rpc.getmempoolentry(txid)
    assert entry["vsize"] > 0 and entry["fees"]["base"] > 0
    mined = rpc.generatetoaddress(1, address)[0]
    assert rpc.getrawmempool() == []
    assert txid in rpc.getblock(mined)["tx"]

    transaction = rpc.getrawtransaction(txid, True, mined)
    assert transaction["confirmations"] == 1
    assert any(out["value"] == Decimal("1.23456789") and out["scriptPubKey"]["address"] == payee
               for out in transaction["vout"])
    assert rpc.decoderawtransaction(transaction["hex"])["txid"] == txid
    assert rpc.gettransaction(txid)["confirmations"] == 1
    assert any(coin["txid"] == txid and coin["amount"] == Decimal("1.23456789")
               for coin in rpc.listunspent())

    # Its batch_ asks in JSON-RPC 2.0 and then reads an "error" of null, which answers in 2.0 don't have
    # (nor Bitcoin Core's, from version 28 on). Batches are tested with the transport.
    for call, code in ((lambda: rpc.getblockhash(1000), -8),
                       (lambda: rpc.nosuchmethod(), -32601),
                       (lambda: rpc.getblock("00" * 32), -5),
                       (lambda: rpc.sendrawtransaction("00"), -22),
                       (lambda: rpc.sendtoaddress(payee, 1_000_000), -6)):
        try:
            call()
        except JSONRPCException as error:
            assert error.code == code, (error.code, code, error.message)
        else:
            raise AssertionError(f"no error {code}")
    rpc.stop()


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        node, url = start(binary, pathlib.Path(directory))
        try:
            drive(url)
            assert node.wait(timeout=30) == 0, "the node did not stop cleanly"
        finally:
            if node.poll() is None:
                node.kill()
                node.wait()
    print("python-bitcoinrpc: passed")


if __name__ == "__main__":
    main()
