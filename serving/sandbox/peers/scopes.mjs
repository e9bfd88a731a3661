// What a SMART token allows at the FHIR server: scopes v1 and v2, and the patient it is for.

const SCOPE = /^(patient|user|system)\/([A-Za-z]+|\*)\.([a-z*]+)(\?.*)?$/;
const OLD = { read: 'rs', write: 'cud', '*': 'cruds' };
const OPEN = { refuses: () => null, hides: () => null };

// Returns what the token of this request allows, or the status it is refused with.
export async function accessRule(request, authorization) {
  if (!authorization.required) return OPEN;
  const token = /^Bearer (.+)$/.exec(request.get('authorization') ?? '')?.[1];
  if (!token) return { status: 401, code: 'login', reason: 'a bearer token is needed' };
  const answer = await fetch(`${authorization.issuer}/sandbox/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const known = await answer.json();
  if (!known.active) return { status: 401, code: 'login', reason: 'the token is not valid' };
  const granted = (known.scope ?? '').split(' ').map((scope) => SCOPE.exec(scope)).filter(Boolean);
  const onePatient = granted.length > 0 && granted.every((scope) => scope[1] === 'patient');
  return {
    refuses: (wanted, body) => {
      for (const { type, letter } of wanted) {
        if (!granted.some((scope) => covers(scope, type, letter))) {
          return `the token does not allow ${letter} of ${type}`;
        }
      }
      return onePatient ? foreign(body, known.patient) : null;
    },
    hides: (shown) => (onePatient ? foreign(shown, known.patient) : null),
  };
}

// Returns the interactions a request asks for, as resource type and one of c r u d s.
export function needs(method, path, body) {
  const [type, id] = path.split('/').filter(Boolean);
  if (!type) {
    return (body?.entry ?? []).map((entry) => {
      const [target, query] = (entry.request?.url ?? '').split('?');
      return needs(entry.request?.method ?? 'GET', `/${target}`, entry.resource)[0];
    });
  }
  if (method === 'GET') return [{ type, letter: id ? 'r' : 's' }];
  if (method === 'POST') return [{ type, letter: id === '_search' ? 's' : 'c' }];
  return [{ type, letter: method === 'DELETE' ? 'd' : 'u' }];
}

function covers(scope, type, letter) {
  const [, , allowed, how] = scope;
  return (allowed === '*' || allowed === type) && (OLD[how] ?? how).includes(letter);
}

// Returns a reason where a resource names another patient than the token does.
function foreign(resource, patient) {
  if (!resource || typeof resource !== 'object') return null;
  if (resource.resourceType === 'Bundle') {
    for (const entry of resource.entry ?? []) {
      const reason = foreign(entry.resource, patient);
      if (reason) return reason;
    }
    return null;
  }
  const reference =
    resource.resourceType === 'Patient' ? `Patient/${resource.id}` : (resource.subject ?? resource.patient)?.reference;
  if (reference?.startsWith('Patient/') && reference !== `Patient/${patient}`) {
    return 'the token is for another patient';
  }
  return null;
}
