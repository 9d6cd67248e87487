/**
 * What has not happened after so long is taken never to happen. Far beyond any recovery of an idle machine: on a busy one
 * everything is slow, and slow is not wrong. How long it took is told apart from that.
 */
export const patienceMs = 300_000;
