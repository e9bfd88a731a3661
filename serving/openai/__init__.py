"""The agent for chat front ends that speak OpenAI's protocol, under the same rules of access."""
