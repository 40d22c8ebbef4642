// bitcoin-core, a client of bitcoind from npm, drives a node.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const Client = require('bitcoin-core');
const { startNode } = require('./regtest_node');

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';

function connect({ host, username, password }, more = {}) {
  return new Client({ host, password, username, ...more });
}

test('coins are made, sent and found', async t => {
  const client = connect(await startNode(t));
  assert.equal((await client.getBlockchainInfo()).chain, 'regtest');
  assert.equal(await client.getBlockHash(0), GENESIS);
  const address = await client.getNewAddress();
  const hashes = await client.generateToAddress(101, address);
  assert.equal(hashes.length, 101);
  assert.equal(await client.getBlockCount(), 101);
  // Numbers with more digits than JavaScript keeps come as texts: an amount is either.
  assert.equal(Number(await client.getBalance()), 50);
  const txid = await client.sendToAddress(address, 1.25);
  assert.deepEqual(await client.getRawMempool(), [txid]);
  const [mined] = await client.generateToAddress(1, address);
  const block = await client.getBlock(mined, 2);
  assert.equal(block.tx[1].txid, txid);
  assert.ok(block.tx[1].vout.some(output => Number(output.value) === 1.25));
  const found = await client.command('getrawtransaction', txid, true, mined);
  assert.equal(found.confirmations, 1);
});

test('parameters have names', async t => {
  const client = connect(await startNode(t), { version: '0.21.0' });
  assert.equal(await client.getBlockHash({ height: 0 }), GENESIS);
  const block = await client.command('getblock', { blockhash: GENESIS, verbosity: 1 });
  assert.equal(block.height, 0);
});

test('a batch has results and errors side by side', async t => {
  const client = connect(await startNode(t));
  const [count, missing, hash, unknown] = await client.command([
    { method: 'getblockcount', parameters: [] },
    { method: 'getblockhash', parameters: [1000] },
    { method: 'getblockhash', parameters: [0] },
    { method: 'nosuchmethod', parameters: [] },
  ]);
  assert.equal(count, 0);
  assert.ok(missing instanceof Error);
  assert.equal(missing.code, -8);
  assert.equal(hash, GENESIS);
  assert.equal(unknown.code, -32601);
});

test('a large reply arrives whole', async t => {
  const client = connect(await startNode(t));
  const hashes = await client.generateToAddress(400, await client.getNewAddress());
  const blocks = await client.command(
    hashes.map(hash => ({ method: 'getblock', parameters: [hash, 2] })));
  assert.deepEqual(blocks.map(block => block.hash), hashes);
});

test('errors are the library\'s', async t => {
  const client = connect(await startNode(t));
  const cases = [
    [() => client.getBlockHash(1000), -8],
    [() => client.command('nosuchmethod'), -32601],
    [() => client.getBlock('00'.repeat(32)), -5],
    [() => client.sendRawTransaction('00'), -22],
  ];
  for (const [call, code] of cases) {
    await assert.rejects(call, { code, name: 'RpcError' });
  }
});

test('a wrong password opens nothing', async t => {
  const node = await startNode(t);
  const stranger = connect({ ...node, password: 'wrong' });
  await assert.rejects(() => stranger.getBlockCount(), { code: 401, name: 'RpcError' });
});

test('the node stops', async t => {
  const node = await startNode(t);
  await connect(node).stop();
  assert.equal(await node.ended, 0);
});
