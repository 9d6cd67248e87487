/** How long pages wait for the rpc before theirs, which they would share: some hundred times what it takes. */
export const patienceMs = 500;
