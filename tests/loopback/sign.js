// Signs with sigstore-js:  node sign.js SIGNING_CONFIG TOKEN_FILE PAYLOAD_FILE [PAYLOAD_TYPE]
// With a payload type it makes a DSSE envelope, else a signature over the file. Prints the bundle.
'use strict';
const fs = require('fs');
const { bundleToJSON } = require('@sigstore/bundle');
const { SigningConfig } = require('@sigstore/protobuf-specs');
const { bundleBuilderFromSigningConfig } = require('@sigstore/sign');

const [configFile, tokenFile, payloadFile, type] = process.argv.slice(2);

async function main() {
  const builder = bundleBuilderFromSigningConfig({
    signingConfig: SigningConfig.fromJSON(JSON.parse(fs.readFileSync(configFile))),
    identityProvider: { getToken: async () => fs.readFileSync(tokenFile, 'utf8').trim() },
    bundleType: type ? 'dsseEnvelope' : 'messageSignature',
  });
  console.log(JSON.stringify(bundleToJSON(await builder.create({ data: fs.readFileSync(payloadFile), type }))));
}

main().catch((problem) => {
  console.error(problem.message, problem.cause?.message ?? '');
  process.exitCode = 1;
});
