// An independent verifier:  node verify.js TRUSTED_ROOT BUNDLE IDENTITY ISSUER [--file FILE] [--key PEM] [--no-log]
// Identity and issuer are compared exactly: @sigstore/verify takes them as regular expressions that match anywhere.
// With --key the bundle must be signed by that key (its hint is not compared), and IDENTITY and ISSUER are `-`.
// Prints one line of JSON; exit status 1 where it refuses.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { toSignedEntity, toTrustMaterial, Verifier } = require('@sigstore/verify');

const [rootFile, bundleFile, identity, issuer, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const exactly = (text) => `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

const pem = option('--key');
const keys = () => ({ publicKey: crypto.createPublicKey(fs.readFileSync(pem)), validFor: () => true });
const logs = rest.includes('--no-log') ? 0 : 1;

try {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(rootFile))), pem ? keys : undefined);
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile)));
  const file = option('--file');
  const entity = toSignedEntity(bundle, file ? fs.readFileSync(file) : undefined);
  const verifier = new Verifier(trust, { tlogThreshold: logs, ctlogThreshold: pem ? 0 : 1, timestampThreshold: logs });
  const policy = pem ? undefined : { subjectAlternativeName: exactly(identity), extensions: { issuer } };
  const signer = verifier.verify(entity, policy);
  console.log(JSON.stringify({ verified: true, identity: signer.identity?.subjectAlternativeName ?? null }));
} catch (problem) {
  console.log(JSON.stringify({ verified: false, code: problem.code, message: problem.message }));
  process.exitCode = 1;
}
