// A CDS Hooks client as an EHR has it: @medplum/core discovers, prefetches from a FHIR server, calls.
// Read from standard input by node, with the job as JSON in the last argument.
import { MedplumClient, buildCdsRequest } from '@medplum/core';

const job = JSON.parse(process.argv.at(-1));
const sent = [];
const tokens = job.tokens ?? {};

// The client signs nothing by itself: each call gets the token that was made for its address.
async function signing(url, options = {}) {
  const address = String(url);
  const headers = { ...(options.headers ?? {}) };
  if (tokens[address]?.length) {
    headers.Authorization = `Bearer ${tokens[address].shift()}`;
  }
  sent.push(address);
  return fetch(url, { ...options, headers });
}

const medplum = new MedplumClient({
  baseUrl: job.fhirRoot,
  fhirUrlPath: 'fhir/R4',
  cdsServicesUrl: job.services,
  fetch: signing,
});
const user = { resourceType: 'Practitioner', id: 'dr-1', name: [{ family: 'Example' }] };
const discovered = await medplum.getCdsServices();
const answers = [];
for (const call of job.calls) {
  const service = discovered.services.find((one) => one.id === call.service);
  const request = await buildCdsRequest(medplum, user, service, call.context);
  if (call.without) {
    for (const key of call.without) delete request.prefetch[key];
  }
  try {
    const response = await medplum.callCdsService(service.id, request);
    // this client hands an OperationOutcome on as if it were an answer
    const failed = response.resourceType === 'OperationOutcome';
    const prefetch = Object.keys(request.prefetch ?? {});
    answers.push(failed ? { error: response } : { cards: response.cards, prefetch });
  } catch (error) {
    answers.push({ error: error.outcome ?? String(error) });
  }
}
console.log(JSON.stringify({ services: discovered.services, answers, sent }));
