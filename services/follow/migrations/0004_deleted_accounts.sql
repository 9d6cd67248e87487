-- Accounts that are no more. Follows by and of them are refused, so that a request that was under way when the
-- account was deleted leaves no edge behind. Ids are never given twice.
create table deleted_accounts (
  user_id bigint constraint deleted_accounts_pkey primary key
);
