/** A live account: the profile that others see, and the address that only its owner sees. */
export interface Account {
  readonly id: bigint;
  readonly username: string;
  readonly email: string;
  readonly displayName: string;
  readonly bio: string;
}

/** What others see of an account. */
export type Profile = Omit<Account, "email">;
