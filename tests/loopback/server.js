// A Sigstore on 127.0.0.1 for tests:  node server.js FOLDER
// Writes trusted_root.json and, per log mode (rekor1, rekor1tsa, rekor2), signing_config.MODE.json and
// trust_config.MODE.json into FOLDER, then prints one line of JSON with its url. Ends when its standard input ends.
//
// It misbehaves on request. POST /control/faults takes a list of
//   {"path", "times", "status", "headers", "body", "size", "delay", "close", "truncate", "wrongNonce", "wrongImprint"}
// each applied to the next `times` requests (default 1; 0: all) for that path. GET /control/requests lists what was
// asked, in order; POST /control/reset forgets faults and requests.
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const { createSigstore } = require('./sigstore');

const folder = process.argv[2];
let faults = [];
let requests = [];

const control = {
  'POST /control/faults': ({ raw }) => {
    faults = JSON.parse(raw.toString()).map((fault) => ({ times: 1, ...fault }));
  },
  'POST /control/reset': () => {
    faults = [];
    requests = [];
  },
  'GET /control/requests': () => requests,
};

function takeFault(where) {
  const fault = faults.find((one) => one.path === where && one.times >= 0);
  if (fault && fault.times > 0 && --fault.times === 0) fault.times = -1;
  return fault;
}

async function answer(routes, request) {
  const known = control[`${request.method} ${request.path}`];
  if (known) return { statusCode: 200, contentType: 'application/json', body: JSON.stringify(known(request) ?? null) };
  request.fault = takeFault(request.path);
  requests.push({ method: request.method, path: request.path, headers: request.headers, body: request.raw.toString('base64') });
  const { fault } = request;
  if (fault?.delay) await new Promise((resolve) => setTimeout(resolve, fault.delay).unref());
  if (fault?.status || fault?.body !== undefined || fault?.size) {
    const body = fault.size ? Buffer.alloc(fault.size, 'x') : fault.body ?? '';
    return { statusCode: fault.status ?? 200, headers: fault.headers, body };
  }
  const exact = routes[`${request.method} ${request.path}`];
  const folderRoute = routes[`${request.method} ${request.path.replace(/[^/]*$/, '')}`];
  const route = exact ?? folderRoute;
  return route ? route(request) : { statusCode: 404, body: 'no such path' };
}

function serve(routes) {
  return (request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const asked = { method: request.method, path: request.url, headers: request.headers, raw: Buffer.concat(parts) };
      let reply;
      try {
        reply = await answer(routes(), asked);
      } catch (problem) {
        reply = { statusCode: 500, body: String(problem.stack) };
      }
      if (asked.fault?.close) return request.socket.destroy();
      const body = Buffer.isBuffer(reply.body) ? reply.body : Buffer.from(reply.body);
      response.writeHead(reply.statusCode, { 'Content-Type': reply.contentType ?? 'text/plain', 'Content-Length': body.length, ...reply.headers });
      if (!asked.fault?.truncate) return response.end(body);
      response.write(body.subarray(0, body.length / 2));
      setTimeout(() => request.socket.destroy(), 20).unref();
    });
  };
}

async function main() {
  let routes = {};
  const server = http.createServer(serve(() => routes));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://localhost:${server.address().port}`;
  const sigstore = await createSigstore(url);
  routes = sigstore.routes;
  const write = (name, value) => fs.writeFileSync(path.join(folder, name), JSON.stringify(value));
  write('trusted_root.json', sigstore.trustedRoot);
  for (const [mode, signingConfig] of Object.entries(sigstore.signingConfigs)) {
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';
    write(`signing_config.${mode}.json`, signingConfig);
    write(`trust_config.${mode}.json`, { mediaType, trustedRoot: sigstore.trustedRoot, signingConfig });
  }
  process.stdin.on('end', () => process.exit(0)).resume();
  console.log(JSON.stringify({ url }));
}

main();
