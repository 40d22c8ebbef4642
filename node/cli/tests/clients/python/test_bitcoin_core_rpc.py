"""bitcoin-core-rpc drives a node: the cookie file, named parameters, batches, its exceptions."""

import unittest
from decimal import Decimal

from bitcoin_core_rpc import (
    BitcoinCoreRpcClient, FetchError, HttpError, RpcChannel, RpcError)

from regtest_node import RegtestNode


class BitcoinCoreRpc(unittest.TestCase):
    def setUp(self):
        self.node = self.enterContext(RegtestNode())
        self.client = BitcoinCoreRpcClient(self.node.url, cookie_path=self.node.cookie_path)

    def test_coins_are_made_sent_and_found(self):
        call = self.client.call
        self.client.assert_chain("regtest")
        address = call("getnewaddress")
        hashes = call("generatetoaddress", {"nblocks": 101, "address": address})
        self.assertEqual(call("getblockcount"), 101)
        self.assertEqual(call("getbalance"), Decimal(50))
        # An amount of which a binary number would lose the end.
        txid = call("sendtoaddress", [address, Decimal("0.30000001")])
        mined = call("generatetoaddress", [1, address])[0]
        block = call("getblock", {"blockhash": mined, "verbosity": 2})
        values = [out["value"] for out in block["tx"][1]["vout"]]
        self.assertEqual(block["tx"][1]["txid"], txid)
        self.assertIn(Decimal("0.30000001"), values)
        self.assertEqual(call("getblockheader", [hashes[0]])["height"], 1)
        self.assertIsNone(call("gettxout", ["00" * 32, 0]))

    def test_methods_are_attributes(self):
        rpc = RpcChannel(self.client)
        self.assertEqual(rpc.getblockcount(), 0)
        genesis = rpc.getblockhash(height=0)
        self.assertEqual(rpc.getblock(blockhash=genesis, verbosity=1)["height"], 0)

    def test_a_batch_has_results_and_errors_side_by_side(self):
        genesis = self.client.call("getblockhash", [0])
        results = self.client.call_batch([
            ("getblockcount", None), ("getblockhash", [1000]),
            ("getblock", {"blockhash": genesis, "verbosity": 1}), ("nosuchmethod", [])])
        self.assertEqual(results[0], 0)
        self.assertIsInstance(results[1], RpcError)
        self.assertEqual(results[1].code, -8)
        self.assertEqual(results[2]["hash"], genesis)
        self.assertEqual(results[3].code, -32601)

    def test_a_large_batch_is_answered_whole(self):
        address = self.client.call("getnewaddress")
        hashes = self.client.call("generatetoaddress", [400, address])
        asked = [("getblock", [block, 2]) for block in hashes]
        blocks = self.client.call_batch(asked)
        self.assertEqual([block["hash"] for block in blocks], hashes)

    def test_errors_are_the_librarys_exceptions(self):
        for method, params, code in (("getblockhash", [1000], -8), ("nosuchmethod", None, -32601),
                                     ("getblock", ["00" * 32], -5),
                                     ("sendrawtransaction", ["00"], -22)):
            with self.assertRaises(RpcError) as raised:
                self.client.call(method, params)
            self.assertEqual(raised.exception.code, code)

    def test_both_versions_of_the_protocol_are_spoken(self):
        status, reply = self.client.call_raw("getblockhash", [1000], jsonrpc=None)
        self.assertEqual((status, reply["error"]["code"], reply["result"]), (500, -8, None))
        self.assertNotIn("jsonrpc", reply)
        status, reply = self.client.call_raw("getblockhash", [1000], jsonrpc="2.0")
        self.assertEqual((status, reply["error"]["code"], reply["jsonrpc"]), (200, -8, "2.0"))
        self.assertNotIn("result", reply)

    def test_a_wrong_password_opens_nothing(self):
        stranger = BitcoinCoreRpcClient(self.node.url, user="__cookie__", password="wrong")
        with self.assertRaises(HttpError) as raised:
            stranger.call("getblockcount")
        self.assertEqual(raised.exception.status, 401)

    def test_the_node_stops(self):
        self.client.call("stop")
        self.assertTrue(self.node.stopped_well())
        with self.assertRaises(FetchError):
            self.client.call("getblockcount")


if __name__ == "__main__":
    unittest.main()
