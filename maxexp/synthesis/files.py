"""Names of the files that are handed to the synthesizer and that it writes."""

NETWORK, SAMPLE, LOG, KNOWN_ANSWER = "network.yaml", "sample.npy", "log.txt", "known_answer.npy"
