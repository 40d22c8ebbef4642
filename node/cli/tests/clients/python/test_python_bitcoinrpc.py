"""python-bitcoinrpc drives a node."""

import unittest
from decimal import Decimal

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

from regtest_node import RegtestNode


class PythonBitcoinrpc(unittest.TestCase):
    def setUp(self):
        self.node = self.enterContext(RegtestNode())
        self.rpc = AuthServiceProxy(self.node.url_with())

    def test_coins_are_made_sent_and_found(self):
        rpc = self.rpc
        self.assertEqual(rpc.getblockchaininfo()["chain"], "regtest")
        self.assertEqual(rpc.getblockhash(0),
                         "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
        address = rpc.getnewaddress()
        hashes = rpc.generatetoaddress(101, address)
        self.assertEqual(rpc.getblockcount(), 101)
        self.assertEqual(rpc.getbestblockhash(), hashes[-1])
        self.assertEqual(rpc.getbalance(), Decimal("50.00000000"))
        self.assertEqual(rpc.getbalances()["mine"]["immature"], Decimal("5000.00000000"))

        payee = rpc.getnewaddress("payee", "bech32m")
        txid = rpc.sendtoaddress(payee, Decimal("1.23456789"))
        self.assertIn(txid, rpc.getrawmempool())
        entry = rpc.getmempoolentry(txid)
        self.assertGreater(entry["vsize"], 0)
        self.assertGreater(entry["fees"]["base"], 0)
        mined = rpc.generatetoaddress(1, address)[0]
        self.assertEqual(rpc.getrawmempool(), [])
        self.assertIn(txid, rpc.getblock(mined)["tx"])

        transaction = rpc.getrawtransaction(txid, True, mined)
        self.assertEqual(transaction["confirmations"], 1)
        paid = [(out["value"], out["scriptPubKey"]["address"]) for out in transaction["vout"]]
        self.assertIn((Decimal("1.23456789"), payee), paid)
        self.assertEqual(rpc.decoderawtransaction(transaction["hex"])["txid"], txid)
        self.assertEqual(rpc.gettransaction(txid)["confirmations"], 1)
        coins = [(coin["txid"], coin["amount"]) for coin in rpc.listunspent()]
        self.assertIn((txid, Decimal("1.23456789")), coins)

    def test_a_large_reply_arrives_whole(self):
        rpc = self.rpc
        hashes = rpc.generatetoaddress(500, rpc.getnewaddress())
        self.assertEqual(len(set(hashes)), 500)
        self.assertEqual(rpc.getblockhash(250), hashes[249])

    # Its `batch_` asks in JSON-RPC 2.0 and then reads an "error" of null, which answers in 2.0 do not have,
    # Bitcoin Core's neither from version 28 on: only the other clients are tested with batches.
    def test_errors_are_the_librarys_exceptions(self):
        rpc = self.rpc
        address = rpc.getnewaddress()
        for call, code in ((lambda: rpc.getblockhash(1000), -8),
                           (lambda: rpc.nosuchmethod(), -32601),
                           (lambda: rpc.getblock("00" * 32), -5),
                           (lambda: rpc.sendrawtransaction("00"), -22),
                           (lambda: rpc.sendtoaddress(address, 1_000_000), -6)):
            with self.assertRaises(JSONRPCException) as raised:
                call()
            self.assertEqual(raised.exception.code, code, raised.exception.message)

    def test_a_wrong_password_opens_nothing(self):
        stranger = AuthServiceProxy(self.node.url_with("__cookie__:wrong"))
        with self.assertRaises(JSONRPCException) as raised:
            stranger.getblockcount()
        self.assertIn("401", str(raised.exception))

    def test_the_node_stops(self):
        self.rpc.stop()
        self.assertTrue(self.node.stopped_well())


if __name__ == "__main__":
    unittest.main()
