// A marketplace's OpenID Connect provider for the tests: a real one (oidc-provider, certified by the OpenID
// Foundation), on a free port, with accounts and moods that a test chooses. Prints its issuer when it listens, and ends
// with its standard input.
//
//   node end2end/provider.mjs REDIRECT_URI...
//
// PUT /test takes JSON: `accounts` (claims and `amr` by account id), `keys: "new"` (others sign from now on),
// `clock` (seconds by which it is wrong), `claimsInToken` (else they are asked for at the userinfo endpoint),
// `showsKeys: false` (the set of its keys is empty).
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// Node 20 has no URL.parse yet.
URL.parse ??= (url, base) => {
  try {
    return new URL(url, base);
  } catch {
    return null;
  }
};
const { default: Provider } = await import('oidc-provider');

const redirectUris = process.argv.slice(2);
const settings = { accounts: {}, clock: 0, claimsInToken: false, showsKeys: true };
const now = Date.now;
Date.now = () => now() + settings.clock * 1000;

const cookieKeys = [randomBytes(32).toString('hex')];
let issuer, key, provider;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  key = { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg: 'RS256' };
}

function makeProvider() {
  provider = new Provider(issuer, {
    clients: [
      { client_id: 'vendorscope', client_secret: 'a secret of the provider', redirect_uris: redirectUris, grant_types: ['authorization_code'] },
    ],
    jwks: { keys: [key] },
    cookies: { keys: cookieKeys },
    conformIdTokenClaims: !settings.claimsInToken,
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['preferred_username', 'staff_mail'] },
    pkce: { required: () => true },
    // What browsers and the provider itself keep outlasts any `clock`.
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 86_400, Session: 86_400, Grant: 86_400 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => settings.accounts[sub] && { accountId: sub, claims: () => ({ sub, ...settings.accounts[sub] }) },
    // Everybody lets this client know all that it asks for.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_, error) => console.error(error));
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function answer(request, response) {
  if (request.url === '/test') {
    const { keys, ...changes } = JSON.parse(await body(request));
    Object.assign(settings, changes);
    if (keys === 'new') newKey();
    makeProvider();
    return response.end();
  }
  if (request.url === '/jwks' && !settings.showsKeys) {
    response.setHeader('content-type', 'application/jwk-set+json');
    return response.end('{"keys":[]}');
  }
  if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    response.setHeader('content-type', 'text/html');
    return response.end(`<!doctype html><html lang="en"><title>Marketplace</title><h1>Marketplace login</h1>
      <form method="post" action="${request.url}"><label>Account <input name="account"></label>
      <button>Continue</button> <button name="cancel" value="yes">Cancel</button></form>`);
  }
  const form = new URLSearchParams(await body(request));
  const accountId = form.get('account');
  const result = form.has('cancel')
    ? { error: 'access_denied', error_description: '<script>alert(1)</script>' }
    : { login: { accountId, amr: settings.accounts[accountId]?.amr } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const server = createServer((request, response) => {
  // A browser asks for it, and says in its console where there is none.
  if (request.url === '/favicon.ico') return response.writeHead(204).end();
  answer(request, response).catch((error) => {
    console.error(error);
    response.statusCode = 500;
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  newKey();
  makeProvider();
  console.log(issuer);
});
process.stdin.on('end', () => process.exit()).resume();
