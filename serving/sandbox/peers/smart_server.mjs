// A SMART App Launch 2 authorization server on loopback, on a certified OpenID provider.
//
// Started as `node smart_server.mjs '<json>'`:
//   {"port": 0, "fhir": "<FHIR base>", "accounts": {"dr-1": {"name": ..., "roles": [...]}},
//    "clients": [<client metadata>]}
// The first line it prints is {"port": n}. Whoever started it registers launches under /sandbox.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import { errors, Provider } from 'oidc-provider';

const options = JSON.parse(process.argv[2]);
const TYPES = [
  '*', 'AllergyIntolerance', 'Condition', 'Device', 'DiagnosticReport', 'DocumentReference',
  'Encounter', 'ImagingStudy', 'Medication', 'MedicationAdministration', 'MedicationRequest', 'MedicationStatement',
  'Observation', 'Patient', 'Practitioner', 'Procedure', 'Provenance', 'RiskAssessment',
];
const ACTIONS = ['c', 'cr', 'cru', 'cruds', 'cud', 'cu', 'r', 'rs', 's', 'read', 'write', '*'];
const DATA = ['patient', 'user', 'system'].flatMap((who) =>
  TYPES.flatMap((type) => ACTIONS.map((action) => `${who}/${type}.${action}`))
);
const PLAIN = ['openid', 'profile', 'roles', 'fhirUser', 'launch', 'launch/patient', 'launch/encounter'];
const SCOPES = [...PLAIN, 'online_access', 'offline_access'];

const launches = new Map();
const contexts = new Map(); // grant to what was launched
const tokenContexts = (token) => contexts.get(token?.grantId) ?? {};
let standalone = {};
let account = Object.keys(options.accounts ?? {})[0] ?? 'nobody';

const server = createServer();
server.listen(options.port ?? 0, '127.0.0.1', () => {
  const { port } = server.address();
  server.on('request', application(`http://127.0.0.1:${port}`));
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});

function application(issuer) {
  const provider = authority(issuer);
  const app = express();
  app.get('/.well-known/smart-configuration', (request, response) => response.json(discovery(issuer)));
  app.get('/interaction/:uid', async (request, response) => {
    await provider.interactionDetails(request, response);
    const result = { login: { accountId: account }, consent: {} };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  });
  app.use('/sandbox', express.json());
  app.post('/sandbox/launches', (request, response) => {
    const launch = randomUUID();
    launches.set(launch, request.body);
    response.json({ launch });
  });
  app.post('/sandbox/standalone', (request, response) => {
    standalone = request.body;
    response.json(standalone);
  });
  app.post('/sandbox/account', (request, response) => {
    account = request.body.account;
    response.json({ account });
  });
  app.post('/sandbox/token', async (request, response) => {
    const { token } = request.body;
    const found =
      (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
    if (!found?.isValid) return response.json({ active: false });
    const { patient } = tokenContexts(found);
    response.json({ active: true, scope: found.scope, client_id: found.clientId, patient });
  });
  app.use(provider.callback());
  return app;
}

function authority(issuer) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'op-1', alg: 'RS256', use: 'sig' };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    scopes: [...SCOPES, ...DATA],
    claims: { openid: ['sub'], profile: ['name'], roles: ['roles'], fhirUser: ['fhirUser'] },
    conformIdTokenClaims: false,
    clients: options.clients.map((client) => ({ scope: scopesOf(client), ...client })),
    pkce: { required: () => true },
    extraParams: {
      aud(ctx, value) {
        if (value && value !== options.fhir) throw new errors.InvalidRequest('aud is another server');
      },
      launch(ctx, value) {
        const asked = (ctx.oidc.params.scope ?? '').split(' ').includes('launch');
        if (asked && !launches.has(value)) throw new errors.InvalidRequest('the launch is not known');
      },
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true },
    },
    enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
    clientAuthMethods: ['none', 'private_key_jwt', 'client_secret_basic'],
    cookies: { keys: [randomUUID()] },
    ttl: {
      AccessToken: 300, AuthorizationCode: 60, ClientCredentials: 300, Grant: 3600, IdToken: 300,
      Interaction: 600, RefreshToken: 3600, Session: 600,
    },
    findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...person(id) }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const { client, params, requestParamScopes, session } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope([...requestParamScopes].join(' '));
      const id = await grant.save();
      const fromLaunch = launches.get(params.launch);
      const chosen = requestParamScopes.has('launch/patient') ? standalone : {};
      contexts.set(id, fromLaunch ?? chosen);
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    const code = ctx.oidc?.entities?.AuthorizationCode;
    if (ctx.oidc?.route !== 'token' || ctx.status !== 200 || !code) return;
    ctx.body = { ...ctx.body, ...tokenContexts(code) };
  });
  return provider;
}

function scopesOf(client) {
  const backend = (client.grant_types ?? []).includes('client_credentials');
  return (backend ? DATA.filter((scope) => scope.startsWith('system/')) : [...SCOPES, ...DATA]).join(' ');
}

function person(id) {
  const { name = id, roles = [] } = options.accounts?.[id] ?? {};
  return { name, roles, fhirUser: `${options.fhir}/Practitioner/${id}` };
}

function discovery(issuer) {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/token/revocation`,
    grant_types_supported: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...SCOPES, ...DATA],
    capabilities: [
      'launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-asymmetric',
      'sso-openid-connect', 'context-ehr-patient', 'context-ehr-encounter',
      'context-standalone-patient', 'permission-v1', 'permission-v2', 'permission-patient',
      'permission-user',
    ],
  };
}

// Whoever started it holds this open; when that ends, for whatever reason, so does this.
process.stdin.on('end', () => process.exit(0)).resume();
