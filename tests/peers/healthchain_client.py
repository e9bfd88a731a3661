"""Runs HealthChain's sandbox client in its own environment: a job as JSON in, its answers out."""

import json
import sys


def main() -> None:
    """Print what the client received for each call."""
    from healthchain.sandbox import SandboxClient
    from healthchain.sandbox.requestconstructors import CdsRequestConstructor

    answers = []
    for call in json.loads(sys.stdin.read()):
        client = SandboxClient(url=call["url"], workflow=call["workflow"])
        if call.get("synthetic"):
            client.load_synthetic(random_seed=7)
        else:
            request = CdsRequestConstructor().construct_request(
                call["prefetch"], workflow=client.workflow, context=call["context"]
            )
            client.requests.append(request)
        answers.append(client.send_requests()[0])
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
