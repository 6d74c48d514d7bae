// An append-only transparency log (RFC 6962, section 2.1): leaves are kept, trees grow, proofs are real.
// @sigstore/mock answers as if each entry were the first of its log; a client that gets Merkle paths wrong passes there.
'use strict';
const crypto = require('crypto');

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), crypto.createHash('sha256')).digest();
const hashLeaf = (body) => sha256(Buffer.from([0]), body);
const hashNode = (left, right) => sha256(Buffer.from([1]), left, right);

// The largest power of two smaller than n.
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));

function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return hashNode(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function pathOf(index, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

class Log {
  // `origin` is the first line of checkpoints, `name` signs them; `digest` is null for Ed25519.
  constructor({ keyPair, keyId, origin, name, digest }) {
    Object.assign(this, { keyPair, keyId, origin, name, digest });
    this.leaves = [];
    this.bodies = [];
  }

  append(body) {
    const known = this.bodies.findIndex((one) => one.equals(body));
    if (known >= 0) return { index: known, fresh: false };
    this.bodies.push(body);
    this.leaves.push(hashLeaf(body));
    return { index: this.leaves.length - 1, fresh: true };
  }

  proof(index) {
    const rootHash = rootOf(this.leaves);
    return { index, treeSize: this.leaves.length, rootHash, hashes: pathOf(index, this.leaves), checkpoint: this.checkpoint(rootHash) };
  }

  // C2SP signed-note over a tlog-checkpoint.
  checkpoint(rootHash) {
    const note = `${this.origin}\n${this.leaves.length}\n${rootHash.toString('base64')}\n`;
    const signature = crypto.sign(this.digest, Buffer.from(note), this.keyPair.privateKey);
    const line = Buffer.concat([this.keyId.subarray(0, 4), signature]).toString('base64');
    return `${note}\n\u2014 ${this.name} ${line}\n`;
  }
}

module.exports = { Log, sha256 };
