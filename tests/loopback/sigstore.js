// The services of a Sigstore for tests. Certificates, SCTs, promises and timestamps come from @sigstore/mock; what stands
// here are the adapters it needs before clients other than sigstore-js can talk to it, and logs that grow (log.js).
'use strict';
const crypto = require('crypto');
const asn1js = require('asn1js');
const pkijs = require('pkijs');
const { initializeCA, initializeCTLog, initializeTLog, initializeTSA, fulcioHandler } = require('@sigstore/mock');
const { HashAlgorithm, PublicKeyDetails, TrustedRoot } = require('@sigstore/protobuf-specs');
const { Log, sha256 } = require('./log');

const POLICY = '1.3.6.1.4.1.57264.2';
const SHA256_OID = '2.16.840.1.101.3.4.2.1';
const MINUTE = 60_000;
const JSON_TYPE = 'application/json';

const der = (key) => key.export({ format: 'der', type: 'spki' });
const json = (statusCode, value) => ({ statusCode, contentType: JSON_TYPE, body: JSON.stringify(value) });
const canonical = (value) =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

async function createSigstore(url) {
  const host = new URL(url).host;
  const p256 = () => crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ctKeys = p256();
  const logKeys = p256();
  const tileKeys = crypto.generateKeyPairSync('ed25519');
  const ctLog = await initializeCTLog(ctKeys);
  const ca = await initializeCA(p256(), ctLog);
  const tsa = await initializeTSA(p256());
  const promises = await initializeTLog(url, logKeys);
  // Rekor v1's key id is that of the key; Rekor v2's is that of the signed note (C2SP: name, newline, type, key).
  const rawTileKey = der(tileKeys.publicKey).subarray(-32);
  const rekor1 = new Log({ keyPair: logKeys, keyId: sha256(der(logKeys.publicKey)), origin: `${host} - 1`, name: host, digest: 'sha256' });
  const rekor2 = new Log({ keyPair: tileKeys, keyId: sha256(`${host}\n`, Buffer.from([1]), rawTileKey), origin: host, name: host, digest: null });
  const trustedRoot = describeTrust({ url, ca, ctLog, tsa, rekor1, rekor2 });
  return {
    trustedRoot,
    signingConfigs: signingConfigs(url),
    routes: {
      'POST /api/v2/signingCert': fulcio(ca),
      'POST /api/v1/log/entries': (request) => rekorV1(rekor1, promises, request),
      'GET /api/v1/log/entries/': (request) => rekorV1Entry(rekor1, promises, Number(request.path.split('/').pop())),
      'POST /api/v2/log/entries': (request) => rekorV2(rekor2, request),
      'POST /api/v1/timestamp': (request) => timestamp(tsa, request),
      'GET /oidc/.well-known/openid-configuration': () =>
        json(200, { issuer: `${url}/oidc`, authorization_endpoint: `${url}/oidc/auth`, token_endpoint: `${url}/oidc/token` }),
    },
  };
}

// Fulcio proper takes the token in a header as well, and the request for a certificate as base64 of its PEM.
function fulcio(ca) {
  const issue = fulcioHandler(ca, { strict: true, subjectClaim: process.env.SUBJECT_CLAIM || 'sub' });
  return async ({ raw, headers }) => {
    const request = JSON.parse(raw.toString());
    request.credentials ??= { oidcIdentityToken: (headers.authorization || '').replace(/^Bearer /, '') };
    const csr = request.certificateSigningRequest;
    if (csr && !csr.includes('BEGIN')) request.certificateSigningRequest = Buffer.from(csr, 'base64').toString();
    const { statusCode, contentType, response } = await issue.fn(JSON.stringify(request));
    return statusCode < 400 ? { statusCode, contentType, body: response } : json(statusCode, { code: 3, message: response, details: [] });
  };
}

// Rekor v1 keeps hashes of a DSSE envelope, not the envelope it was handed, and answers 409 to what it has already.
function rekorV1(log, promises, { raw }) {
  const body = Buffer.from(canonical(canonicalEntry(JSON.parse(raw.toString()))));
  const { index, fresh } = log.append(body);
  if (!fresh) {
    const headers = { Location: `/api/v1/log/entries/${index}` };
    return { ...json(409, { code: 409, message: 'an equivalent entry already exists in the transparency log' }), headers };
  }
  return json(201, rekorV1Answer(log, promises, index));
}

function rekorV1Entry(log, promises, index) {
  return index < log.bodies.length ? json(200, rekorV1Answer(log, promises, index)) : json(404, { code: 404, message: 'no such entry' });
}

// Rekor writes keys and certificates anew, in lines of 64 letters, however they came.
function canonicalPem(encoded) {
  const pem = Buffer.from(encoded, 'base64').toString();
  const written = pem.includes('BEGIN CERTIFICATE')
    ? new crypto.X509Certificate(pem).toString()
    : crypto.createPublicKey(pem).export({ format: 'pem', type: 'spki' });
  return Buffer.from(written).toString('base64');
}

function canonicalEntry(entry) {
  const proposed = entry.kind === 'dsse' && entry.spec.proposedContent;
  if (!proposed) return entry;
  const envelope = JSON.parse(proposed.envelope);
  const digest = (bytes) => ({ algorithm: 'sha256', value: sha256(bytes).toString('hex') });
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: digest(Buffer.from(proposed.envelope)),
      payloadHash: digest(Buffer.from(envelope.payload, 'base64')),
      signatures: envelope.signatures.map(({ sig }) => ({ signature: sig, verifier: canonicalPem(proposed.verifiers[0]) })),
    },
  };
}

function rekorV1Answer(log, promises, index) {
  const body = log.bodies[index];
  const timestamp = Math.floor(Date.now() / 1000);
  const { treeSize, rootHash, hashes, checkpoint } = log.proof(index);
  const promise = promises.calculateSET({ body, timestamp, logIndex: index, logID: log.keyId });
  const proof = { logIndex: index, treeSize, rootHash: rootHash.toString('hex'), hashes: hashes.map((one) => one.toString('hex')), checkpoint };
  return {
    [crypto.randomBytes(32).toString('hex')]: {
      body: body.toString('base64'),
      integratedTime: timestamp,
      logID: log.keyId.toString('hex'),
      logIndex: index,
      verification: { inclusionProof: proof, signedEntryTimestamp: promise.toString('base64') },
    },
  };
}

// Rekor v2 (rekor-tiles, CLIENTS.md) has no promise and tells no time. sigstore-js asks for its `dsse` entries, which
// later releases of the log no longer take; everyone else logs an envelope as `hashedrekord`.
function rekorV2(log, { raw }) {
  const request = JSON.parse(raw.toString());
  const { kind, spec } = request.dsseRequestV002 ? dsseV002(request.dsseRequestV002) : hashedRekordV002(request.hashedRekordRequestV002);
  const body = Buffer.from(canonical({ apiVersion: '0.0.2', kind, spec }));
  const { index } = log.append(body);
  const { treeSize, rootHash, hashes, checkpoint } = log.proof(index);
  return json(201, {
    logIndex: String(index),
    logId: { keyId: log.keyId.toString('base64') },
    kindVersion: { kind, version: '0.0.2' },
    inclusionProof: {
      logIndex: String(index),
      rootHash: rootHash.toString('base64'),
      treeSize: String(treeSize),
      hashes: hashes.map((one) => one.toString('base64')),
      checkpoint: { envelope: checkpoint },
    },
    canonicalizedBody: body.toString('base64'),
  });
}

function hashedRekordV002({ digest, signature }) {
  return { kind: 'hashedrekord', spec: { hashedRekordV002: { data: { algorithm: 'SHA2_256', digest }, signature } } };
}

function dsseV002({ envelope, verifiers }) {
  const payloadHash = { algorithm: 'SHA2_256', digest: sha256(Buffer.from(envelope.payload, 'base64')).toString('base64') };
  const signatures = envelope.signatures.map(({ sig }) => ({ content: sig, verifier: verifiers[0] }));
  return { kind: 'dsse', spec: { dsseV002: { payloadHash, signatures } } };
}

// RFC 3161 in DER, beside the JSON form that sigstore-js sends; the nonce comes back as it was sent, all 64 bits of it.
// `wrongNonce` and `wrongImprint` make an answer to another question than the one that was asked.
async function timestamp(tsa, { raw, headers, fault }) {
  let digest, nonce, certReq, hashAlgorithmOID = SHA256_OID;
  if ((headers['content-type'] || '').includes('timestamp-query')) {
    const query = new pkijs.TimeStampReq({ schema: asn1js.fromBER(raw).result });
    digest = Buffer.from(query.messageImprint.hashedMessage.valueBlock.valueHexView);
    hashAlgorithmOID = query.messageImprint.hashAlgorithm.algorithmId;
    nonce = query.nonce;
    certReq = Boolean(query.certReq);
  } else {
    const request = JSON.parse(raw.toString());
    digest = Buffer.from(request.artifactHash, 'base64');
    certReq = Boolean(request.certificates);
  }
  if (fault?.wrongNonce) nonce = new asn1js.Integer({ value: 42 });
  if (fault?.wrongImprint) digest = sha256(digest);
  const describe = tsa.tstInfo;
  const answering = Object.assign(Object.create(tsa), {
    tstInfo(request) {
      const info = describe.call(tsa, request);
      info.genTime = new Date(Math.floor(info.genTime.getTime() / 1000) * 1000); // sigstore-js reads whole seconds only
      if (nonce) info.nonce = nonce;
      else delete info.nonce;
      info.genTime.setMilliseconds(0); // sigstore-js reads three digits of a fraction, or none; DER leaves zeros out
      return info;
    },
  });
  const body = await answering.timestamp({ artifactHash: digest, hashAlgorithmOID, nonce: 0, policyOID: POLICY, certReq });
  return { statusCode: 201, contentType: 'application/timestamp-reply', body };
}

function describeTrust({ url, ca, ctLog, tsa, rekor1, rekor2 }) {
  const validFor = { start: new Date(Date.now() - MINUTE) };
  const authority = (uri, certificates) => ({
    subject: { commonName: 'sigstore', organization: 'sigstore.mock' },
    uri,
    certChain: { certificates: certificates.map((rawBytes) => ({ rawBytes })) },
    validFor,
    operator: 'mock',
  });
  const log = (keyId, rawBytes, keyDetails) => ({
    baseUrl: url,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    publicKey: { rawBytes, keyDetails, validFor },
    logId: { keyId },
    checkpointKeyId: undefined,
    operator: 'mock',
  });
  return TrustedRoot.toJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [authority(url, [ca.rootCertificate])],
    ctlogs: [log(sha256(ctLog.publicKey), ctLog.publicKey, PublicKeyDetails.PKIX_ECDSA_P256_SHA_256)],
    tlogs: [
      log(rekor1.keyId, der(rekor1.keyPair.publicKey), PublicKeyDetails.PKIX_ECDSA_P256_SHA_256),
      log(rekor2.keyId, der(rekor2.keyPair.publicKey), PublicKeyDetails.PKIX_ED25519),
    ],
    timestampAuthorities: [authority(`${url}/api/v1/timestamp`, [tsa.intCertificate, tsa.rootCertificate])],
  });
}

function signingConfigs(url) {
  const service = (uri, majorApiVersion) => [{ url: uri, majorApiVersion, operator: 'mock', validFor: { start: '2020-01-01T00:00:00Z' } }];
  const config = (version, stamped) => ({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: service(url, 1),
    oidcUrls: service(`${url}/oidc`, 1),
    rekorTlogUrls: service(url, version),
    rekorTlogConfig: { selector: 'ANY' },
    ...(stamped ? { tsaUrls: service(`${url}/api/v1/timestamp`, 1), tsaConfig: { selector: 'ANY' } } : {}),
  });
  return { rekor1: config(1, false), rekor1tsa: config(1, true), rekor2: config(2, true) };
}

module.exports = { createSigstore };
