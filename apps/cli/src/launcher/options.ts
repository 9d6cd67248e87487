export const profiles = ["embedded", "full"] as const;
export type Profile = (typeof profiles)[number];

/** What `chirrup up` was asked for. */
export interface UpOptions {
  readonly profile: Profile;
  /** Port of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Followers from which an author's posts are merged at request time; undefined keeps the service's default. */
  readonly celebrityThreshold: number | undefined;
  /** Kafka brokers of the full profile. */
  readonly brokers: number;
}
