/** A live account: the profile that others see, and the address that only its owner sees. */
export interface Account {
  readonly id: bigint;
  readonly username: string;
  readonly email: string;
  /** A token that was mailed to the address has come back. */
  readonly emailVerified: boolean;
  /** A second factor is asked for. */
  readonly secondFactor: boolean;
  readonly displayName: string;
  readonly bio: string;
}

/** What others see of an account. */
export type Profile = Omit<Account, "email" | "emailVerified" | "secondFactor">;
