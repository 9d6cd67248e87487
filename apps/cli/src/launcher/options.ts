/** What `chirrup up` was asked for. */
export interface UpOptions {
  readonly profile: "embedded";
  /** Port of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Followers from which an author's posts are merged at request time; undefined keeps the service's default. */
  readonly celebrityThreshold: number | undefined;
}
