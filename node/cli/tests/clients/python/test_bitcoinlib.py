"""bitcoinlib reads a node through its service for bitcoind, and sends what its own keys signed.

Its calls for balances and coins of an address ask the wallet about addresses (`getaddressinfo` of watched
ones), and are not tested.
"""

import os
import tempfile
import unittest

# Where the library keeps its files: it reads this when it is imported.
HOME = tempfile.TemporaryDirectory()
os.environ["BCL_DATA_DIR"] = HOME.name

from bitcoinlib.keys import Key  # noqa: E402
from bitcoinlib.services.authproxy import JSONRPCException  # noqa: E402
from bitcoinlib.services.bitcoind import BitcoindClient  # noqa: E402
from bitcoinlib.transactions import Transaction  # noqa: E402

from regtest_node import RegtestNode  # noqa: E402

COIN = 100_000_000


class Bitcoinlib(unittest.TestCase):
    def setUp(self):
        self.node = self.enterContext(RegtestNode("-txindex=1"))
        self.service = BitcoindClient("regtest", self.node.url_with())
        self.key = Key(7, network="regtest")
        self.address = self.key.address(encoding="bech32")

    def mine(self, count):
        return self.service.proxy.generatetoaddress(count, self.address)

    def payment(self, fee=1_000):
        """Spends the coin of block 1, and sends it to the same key."""
        coinbase = self.service.proxy.getblock(self.service.proxy.getblockhash(1), 2)["tx"][0]
        transaction = Transaction(network="regtest", witness_type="segwit")
        transaction.add_input(coinbase["txid"], 0, keys=self.key, value=50 * COIN,
                              witness_type="segwit")
        transaction.add_output(50 * COIN - fee, self.address)
        transaction.sign(self.key)
        return transaction

    def test_a_payment_is_sent_and_read(self):
        self.mine(101)
        self.assertEqual(self.service.blockcount(), 101)
        payment = self.payment()
        txid = self.service.sendrawtransaction(payment.raw_hex())["txid"]
        self.assertEqual(txid, Transaction.parse_hex(payment.raw_hex(), network="regtest").txid)
        self.assertEqual(self.service.mempool(txid), [txid])
        self.assertEqual(self.service.getrawtransaction(txid), payment.raw_hex())
        self.assertEqual(self.service.gettransaction(txid).status, "unconfirmed")

        mined = self.mine(1)[0]
        self.assertEqual(self.service.mempool(), [])
        read = self.service.gettransaction(txid)
        self.assertEqual((read.status, read.confirmations), ("confirmed", 1))
        self.assertEqual((read.block_height, read.block_hash), (102, mined))
        self.assertEqual(read.outputs[0].value, 50 * COIN - 1_000)
        self.assertEqual(self.service.isspent(txid, 0), 0)
        spent = payment.inputs[0]
        self.assertEqual(self.service.isspent(spent.prev_txid.hex(), 0), 1)

    def test_blocks_are_read(self):
        hashes = self.mine(103)
        block = self.service.getblock(103)
        self.assertEqual(block["block_hash"], hashes[-1])
        self.assertEqual((block["height"], block["tx_count"]), (103, 1))
        self.assertEqual(block["prev_block"], hashes[-2])
        self.assertEqual(len(block["txs"]), 1)
        self.assertEqual(self.service.getblock(hashes[4], parse_transactions=False)["height"], 5)
        self.assertEqual(len(self.service.getrawblock(hashes[0])) % 2, 0)
        info = self.service.getinfo()
        self.assertEqual((info["blockcount"], info["chain"], info["mempool_size"]),
                         (103, "regtest", 0))

    def test_a_batch_is_answered(self):
        hashes = self.mine(3)
        answers = self.service.proxy.batch_([["getblockcount"], ["getblockhash", 2]])
        self.assertEqual(answers, [3, hashes[1]])

    def test_errors_are_the_librarys_exceptions(self):
        self.mine(101)
        for call, code in ((lambda: self.service.getblock(1000), -8),
                           (lambda: self.service.gettransaction("00" * 31 + "01"), -5),
                           (lambda: self.service.sendrawtransaction("00"), -22),
                           # It pays less than nothing.
                           (lambda: self.service.sendrawtransaction(
                               self.payment(fee=-1_000).raw_hex()), -26)):
            with self.assertRaises(JSONRPCException) as raised:
                call()
            self.assertEqual(raised.exception.code, code, raised.exception.message)

    def test_a_wrong_password_opens_nothing(self):
        stranger = BitcoindClient("regtest", self.node.url_with("__cookie__:wrong"))
        with self.assertRaises(JSONRPCException) as raised:
            stranger.blockcount()
        self.assertIn("401", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
