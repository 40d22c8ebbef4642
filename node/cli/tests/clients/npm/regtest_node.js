// A regtest node in drop-in mode, of one test alone.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: wait } = require('node:timers/promises');

const START_LIMIT_MS = 90_000;
const POLL_MS = 50;
// Below the range that systems give to outgoing connections.
const FIRST_PORT = 10_000;
const PORTS = 10_000;

// A port that nobody listens on.
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const free = await new Promise(resolve => {
      const listener = net.createServer();
      listener.once('error', () => resolve(false));
      listener.listen(port, '127.0.0.1', () => listener.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

// Whether a call succeeds: while the node starts, each fails with the code -28.
async function answers(port, credentials) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: '{"method": "getblockcount", "id": 0}',
    });
    await answer.text();
    return answer.ok;
  } catch {
    return false;
  }
}

// Starts a node; `t.after` ends it.
async function startNode(t, ...args) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pyrite-npm-'));
  const port = await freePort();
  const child = spawn(
    process.env.BITCOIND_EXE,
    ['-regtest', `-datadir=${directory}`, `-rpcport=${port}`, '-listen=0', ...args],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise(resolve => child.once('exit', code => resolve(code)));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    fs.rmSync(directory, { force: true, recursive: true });
  });
  const cookie = path.join(directory, 'regtest', '.cookie');
  const deadline = Date.now() + START_LIMIT_MS;
  const text = () => fs.readFileSync(cookie, 'utf8').trim();
  while (!(fs.existsSync(cookie) && await answers(port, text()))) {
    if (child.exitCode !== null) throw new Error('the node ended at its start');
    if (Date.now() > deadline) throw new Error('the node took too long to start');
    await wait(POLL_MS);
  }
  const [username, password] = text().split(':');
  return { host: `http://127.0.0.1:${port}`, username, password, ended };
}

module.exports = { startNode };
