"""The pool of language-model servers as the service runs it: who asks, status and counters."""
