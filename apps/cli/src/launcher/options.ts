export const profiles = ["embedded", "full"] as const;
export type Profile = (typeof profiles)[number];

export const heaps = ["laptop", "server"] as const;
/** How much memory the services may take for less work of their garbage collectors. */
export type Heap = (typeof heaps)[number];

/** What `chirrup up` was asked for. */
export interface UpOptions {
  readonly profile: Profile;
  readonly heap: Heap;
  /** Port of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Followers from which an author's posts are merged at request time; undefined keeps the service's default. */
  readonly celebrityThreshold: number | undefined;
  /** Kafka brokers of the full profile. */
  readonly brokers: number;
}
